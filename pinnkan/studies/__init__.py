"""Studies: cells trained and measured by workflows, then tables and figures of them."""
