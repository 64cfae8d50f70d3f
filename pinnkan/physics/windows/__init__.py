"""Time windows: what one window hands on to the next, and the problem that each of them poses."""
