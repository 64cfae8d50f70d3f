"""What a problem file says, as text, formulas and data; it knows no torch and no parameter value."""
