"""What a batch of events changes: the rows it asks for, and what follows from them."""
