/**
 * Names of Cinder's options, group by group, so that a cinder.conf brings one warning for all that Ashlar does not have,
 * and not one for each. Facts, taken from Cinder 21 (Zed); a name missing here only costs a warning of its own.
 */
const namesByGroup: Readonly<Record<string, string>> = {
  DEFAULT: `
    allow_availability_zone_fallback allow_compression_on_image_upload api_rate_limit auth_strategy
    backend_availability_zone backend_stats_polling_interval backup_api_class backup_manager backup_name_template
    backup_use_temp_snapshot chap_password chap_username chiscsi_conf cinder_internal_tenant_project_id
    cinder_internal_tenant_user_id compression_format conn_pool_min_size conn_pool_ttl consistencygroup_api_class
    control_exchange default_availability_zone default_group_type default_volume_type driver_client_cert
    driver_client_cert_key driver_data_namespace driver_ssl_cert_path driver_ssl_cert_verify driver_use_ssl
    enable_new_services enable_unsupported_driver enabled_backends enforce_multipath_for_image_xfer
    executor_thread_pool_size filter_function glance_api_insecure glance_api_servers glance_api_ssl_compression
    glance_ca_certificates_file glance_certfile glance_keyfile glance_num_retries glance_request_timeout
    goodness_function group_api_class host iet_conf image_compress_on_upload image_conversion_address_space_limit
    image_conversion_cpu_limit image_conversion_dir image_conversion_disable image_upload_use_cinder_backend
    image_upload_use_internal_tenant image_volume_cache_enabled image_volume_cache_max_count
    image_volume_cache_max_size_gb init_host_max_objects_retrieval iscsi_iotype iscsi_secondary_ip_addresses
    iscsi_target_flags iscsi_write_cache iser_helper iser_ip_address iser_port iser_target_prefix max_age
    max_over_subscription_ratio migration_create_volume_timeout_secs monkey_patch monkey_patch_modules my_ip
    no_snapshot_gb_quota num_iser_scan_tries num_shell_tries num_volume_device_scan_tries nvmet_ns_id
    nvmet_port_id osapi_volume_ext_list osapi_volume_extension osapi_volume_listen osapi_volume_listen_port
    osapi_volume_use_ssl osapi_volume_workers per_volume_size_limit periodic_fuzzy_delay periodic_interval
    quota_backup_gigabytes quota_backups quota_consistencygroups quota_driver quota_gigabytes quota_groups
    quota_snapshots quota_volumes reinit_driver_count replication_device report_discard_supported report_interval
    reservation_clean_interval reservation_expire reserved_image_namespaces reserved_percentage rootwrap_config
    rpc_conn_pool_size rpc_ping_enabled rpc_response_timeout scheduler_default_filters scheduler_default_weighers
    scheduler_driver scheduler_driver_init_wait_time scheduler_host_manager scheduler_manager
    scheduler_max_attempts scheduler_weight_handler scst_target_driver scst_target_iqn_name service_down_time
    snapshot_name_template split_loggers state_path storage_availability_zone storage_protocol target_helper
    target_ip_address target_port target_prefix target_protocol trace_flags transfer_api_class transport_url
    until_refresh use_chap_auth use_default_quota_class use_multipath_for_image_xfer vmdk_allowed_types
    volume_api_class volume_backend_name volume_clear volume_clear_ionice volume_clear_size
    volume_copy_blkio_cgroup_name volume_copy_bps_limit volume_dd_blocksize volume_manager volume_name_template
    volume_service_inithost_offload volume_usage_audit_period volumes_dir zoning_mode`,
  backend_defaults: `
    backend_availability_zone backend_native_threads_pool_size chap_password chap_username chiscsi_conf
    driver_client_cert driver_client_cert_key driver_data_namespace driver_ssl_cert_path driver_ssl_cert_verify
    driver_use_ssl enable_unsupported_driver enforce_multipath_for_image_xfer extra_capabilities filter_function
    goodness_function iet_conf image_upload_use_cinder_backend image_upload_use_internal_tenant
    image_volume_cache_enabled image_volume_cache_max_count image_volume_cache_max_size_gb iscsi_iotype
    iscsi_secondary_ip_addresses iscsi_target_flags iscsi_write_cache iser_helper iser_ip_address iser_port
    iser_target_prefix lvm_conf_file lvm_mirrors lvm_suppress_fd_warnings lvm_type max_over_subscription_ratio
    num_iser_scan_tries num_shell_tries num_volume_device_scan_tries nvmet_ns_id nvmet_port_id replication_device
    report_discard_supported reserved_percentage scst_target_driver scst_target_iqn_name spdk_max_queue_depth
    spdk_rpc_ip spdk_rpc_password spdk_rpc_port spdk_rpc_protocol spdk_rpc_username storage_protocol
    suppress_requests_ssl_warnings target_helper target_ip_address target_port target_prefix target_protocol
    trace_flags unique_fqdn_network use_chap_auth use_multipath_for_image_xfer volume_backend_name volume_clear
    volume_clear_ionice volume_clear_size volume_copy_blkio_cgroup_name volume_copy_bps_limit volume_dd_blocksize
    volume_driver volume_group volumes_dir`,
  coordination: `
    backend_url`,
  database: `
    backend connection connection_debug connection_parameters connection_recycle_time connection_trace
    db_inc_retry_interval db_max_retries db_max_retry_interval db_retry_interval max_overflow max_pool_size
    max_retries mysql_enable_ndb mysql_sql_mode pool_timeout retry_interval slave_connection sqlite_synchronous
    use_db_reconnect`,
  'fc-zone-manager': `
    enable_unsupported_driver`,
  oslo_messaging_notifications: `
    driver retry topics transport_url`,
  oslo_messaging_rabbit: `
    amqp_auto_delete amqp_durable_queues direct_mandatory_flag enable_cancel_on_failover heartbeat_in_pthread
    heartbeat_rate heartbeat_timeout_threshold kombu_compression kombu_failover_strategy
    kombu_missing_consumer_retry_timeout kombu_reconnect_delay rabbit_ha_queues rabbit_interval_max
    rabbit_login_method rabbit_qos_prefetch_count rabbit_quorum_delivery_limit rabbit_quorum_queue
    rabbit_quroum_max_memory_bytes rabbit_quroum_max_memory_length rabbit_retry_backoff rabbit_retry_interval
    rabbit_transient_queues_ttl ssl ssl_ca_file ssl_cert_file ssl_enforce_fips_mode
    ssl_enforce_hostname_verification ssl_key_file ssl_version`,
};

/** What the libraries for logging, services and messages read from [DEFAULT]. */
const libraryNames = `api_paste_config backdoor_port backdoor_socket client_socket_timeout conn_pool_min_size
  conn_pool_ttl control_exchange debug default_log_levels executor_thread_pool_size fatal_deprecations
  graceful_shutdown_timeout instance_format instance_uuid_format log_color log_config_append log_date_format log_dir
  log_file log_options log_rotate_interval log_rotate_interval_type log_rotation_type logging_context_format_string
  logging_debug_format_suffix logging_default_format_string logging_exception_prefix logging_user_identity_format
  max_header_line max_logfile_count max_logfile_size_mb notification_driver publish_errors rate_limit_burst
  rate_limit_except_level rate_limit_interval rpc_backend rpc_conn_pool_size rpc_ping_enabled
  run_external_periodic_tasks syslog_log_facility tcp_keepidle use_eventlog use_journal use_json use_stderr use_syslog
  verbose watch_log_file wsgi_default_pool_size wsgi_keep_alive wsgi_log_format wsgi_server_debug`.split(/\s+/);

/** Groups that belong to the libraries and services around Cinder; they start with oslo_, or are one of these. */
const neighbours = `audit_middleware_notifications barbican barbican_service_user castellan cors healthcheck key_manager
  keystone_authtoken nova privsep profiler sample_castellan_source sample_remote_file_source service_user ssl vault
  glance os_brick`.split(/\s+/);

const names = new Map(Object.entries(namesByGroup).map(([group, text]) => [group, new Set(text.trim().split(/\s+/))]));

/** True for an option of Cinder's own, or of what a cinder.conf holds for its neighbours. `backend` groups hold the drivers'. */
export function isCinderOption(group: string, name: string, isBackend: boolean): boolean {
  if (group.startsWith('oslo_') || neighbours.includes(group)) return true;
  if (group === 'DEFAULT' && libraryNames.includes(name)) return true;
  return names.get(isBackend ? 'backend_defaults' : group)?.has(name) ?? false;
}
