"""A second person's word that exactly this campaign may be sent."""
