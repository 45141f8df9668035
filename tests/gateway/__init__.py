"""The portal behind a gateway: a real nginx that treats requests as Application Gateway does."""
