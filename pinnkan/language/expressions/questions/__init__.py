"""What is asked of formulas: where they jump, cross zero, have kinks, limits and ramps."""
