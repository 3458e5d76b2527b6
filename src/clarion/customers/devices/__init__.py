"""Where customers can be reached: devices and their registrations."""
