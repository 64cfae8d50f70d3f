"""The symbol of a system frozen at a point, its determinant and its waves."""
