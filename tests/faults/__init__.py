"""What happens when a peer, a disk or a file misbehaves."""
