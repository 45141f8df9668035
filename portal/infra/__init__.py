"""What operators do to Azure: build the template, look ahead, deploy, watch, take away.

`arm` is the door to Azure's resource manager; the rest knows only JSON. Nothing here is loaded by
web, worker or beat.
"""
