"""`python -m tests.bench`: what a token costs, and how long the list page takes.

Starts the real server library with two workers on a temporary data folder over plain http
(CREDMGR_LISTENER=bench, which only this tool sets: `serve` never starts such a listener).
"""
