"""Pictures of the pages, taken by a real browser from a portal of their own: `make screenshots`."""
