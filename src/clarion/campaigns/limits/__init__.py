"""What a workspace sets for all its campaigns: whom they leave alone, how often, and who agrees."""
