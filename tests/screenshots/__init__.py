"""Pictures of every page and state, wide and narrow, light and dark, each looked at by axe on the way.

`make screenshots` or `python -m tests.screenshots [--only WORD] [--jobs N]`. A new page is one entry in
pictures/; what it needs to show is made in furnishing.py.
"""
