"""How large unknowns, terms and times are, before anything is solved."""
