"""Which addresses may be called, and how: the one guarded door for requests that this server sends.

Rules O-1 to O-6: an exact list of origins, checked addresses, no redirects, no proxies from the environment,
no encoded answers, a size cap, and one deadline kept by shutting sockets down from a timer.
"""
