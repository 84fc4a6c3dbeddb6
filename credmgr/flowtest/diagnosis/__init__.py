"""From a trace, an error code and what is stored here to cause and cure, in words."""
