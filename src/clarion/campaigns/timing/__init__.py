"""When campaigns launch, where that is more than one instant."""
