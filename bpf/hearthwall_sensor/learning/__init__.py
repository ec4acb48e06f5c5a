"""What is learnt of each device: what it usually does, so that what is unusual can be told."""
