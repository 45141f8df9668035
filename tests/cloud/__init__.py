"""Azure's side, as far as the portal talks to it: real servers on this machine."""
