"""The fault suite: many conversations go on while one part after the other breaks.

`make faults` runs all of it (tests/faults/suite/__main__.py), `make test` a short form
(tests/faults/test_suite_short.py). Each fault of faults.py runs a crowd (crowd.py) of browsers
(tab.py) against a portal of its own (portal.py), whose model provider does what cases.py says. Then
judge.py compares what the browsers saw, what is stored (stored.py) and what was called (calls.py).
"""
