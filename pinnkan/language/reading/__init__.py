"""YAML text as nodes that know their place, and typed reading of them."""
