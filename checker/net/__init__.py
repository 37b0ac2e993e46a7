"""The only house that opens sockets: one gateway, against a permit, with manners and a ledger."""
