"""What commands share: options, targets, progress, tables and messages."""
