"""A page for phones in the same network: buttons for the host, votes for the guests.

Strangers' bytes are read in a process of its own (`server.py`), at a lower priority than the show: neither a flood nor
a fault there touches a picture. `phones.py` starts it, passes states on to it and takes the commands that it lets
through.
"""
