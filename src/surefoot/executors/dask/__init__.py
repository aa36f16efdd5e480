"""Many machines: instances by leases on the workers of a Dask cluster."""
