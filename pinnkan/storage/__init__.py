"""Files of networks and run directories."""
