/* Every type of resource and its name in the configuration, a row each, included where a list of
 * them is wanted. The first is that of accounts that say no type. */
TYPE(batch_account, "batch")
TYPE(storage_account, "storage")
TYPE(cognitive_services_account, "cognitive_services")
TYPE(redis, "redis")
TYPE(search_service, "search")
TYPE(maps_account, "maps")
TYPE(event_grid_domain, "event_grid_domain")
TYPE(event_grid_partner_namespace, "event_grid_partner_namespace")
TYPE(container_registry, "container_registry")
TYPE(fluid_relay_server, "fluid_relay")
