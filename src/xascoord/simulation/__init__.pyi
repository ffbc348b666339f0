from .simulate import simulate_sites as simulate_sites
