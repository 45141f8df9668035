"""Is the deployment private? What `manage.py check_network` looks at, step by step.

`plan` says which names and addresses there should be, `names`, `channel` and `calls` look at what
is there, `inside` and `outside` put these in order for one service, `together` runs the services
side by side, `causes` knows what a failure usually means, `report` tells it.
"""
