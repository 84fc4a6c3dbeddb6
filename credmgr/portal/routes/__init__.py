"""The portal's addresses, a file per object."""
