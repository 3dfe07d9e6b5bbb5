"""A volume driver for the real Cinder in tests of parity: it stores nothing, and says what the project's fake one says."""
import os
import subprocess

from oslo_config import cfg

from cinder import exception
from cinder import interface
from cinder.volume import driver


@interface.volumedriver
class NothingDriver(driver.VolumeDriver, driver.CloneableImageVD, driver.MigrateVD):
    VERSION = "1.0.0"

    def do_setup(self, context):
        pass

    def check_for_setup_error(self):
        pass

    def create_volume(self, volume):
        if volume.display_name == "fails":
            raise exception.VolumeBackendAPIException(data="told to fail")

    def create_volume_from_snapshot(self, volume, snapshot):
        pass

    def create_cloned_volume(self, volume, src_vref):
        pass

    def delete_volume(self, volume):
        if volume.display_name == "stays":
            raise exception.VolumeBackendAPIException(data="told to fail")

    def extend_volume(self, volume, new_size):
        pass

    def create_snapshot(self, snapshot):
        pass

    def delete_snapshot(self, snapshot):
        pass

    def ensure_export(self, context, volume):
        pass

    def create_export(self, context, volume, connector):
        return {"provider_location": "127.0.0.1:3260,1 iqn.2010-10.org.openstack:%s 1" % volume.name,
                "provider_auth": "CHAP user%s password" % volume.id[:8]}

    def remove_export(self, context, volume):
        pass

    def initialize_connection(self, volume, connector):
        portal, _, rest = volume.provider_location.partition(",")
        method, user, password = volume.provider_auth.split()
        return {"driver_volume_type": "iscsi",
                "data": {"target_discovered": False, "target_portal": portal, "target_iqn": rest.split()[1],
                         "target_lun": 1, "volume_id": volume.id, "auth_method": method,
                         "auth_username": user, "auth_password": password}}

    def terminate_connection(self, volume, connector, **kwargs):
        pass

    def _update_volume_stats(self):
        self._stats = {
            "volume_backend_name": self.configuration.safe_get("volume_backend_name"),
            "vendor_name": "Ashlar", "driver_version": self.VERSION, "storage_protocol": "iSCSI",
            "pools": [{"pool_name": "fake", "total_capacity_gb": "infinite", "free_capacity_gb": "infinite",
                       "provisioned_capacity_gb": 0, "reserved_percentage": 0, "max_over_subscription_ratio": "20.0",
                       "thin_provisioning_support": False, "thick_provisioning_support": True,
                       "multiattach": True, "total_volumes": 0}],
        }


class FilesDriver(NothingDriver):
    """The same with the files of the project's own file driver, whose place it takes; it exports nothing itself."""

    def __init__(self, *args, **kwargs):
        super(FilesDriver, self).__init__(*args, **kwargs)
        self.configuration.append_config_values([cfg.StrOpt("peer_files_dir")])

    def _path(self, kind, name):
        return os.path.join(self.configuration.peer_files_dir, kind, name)

    def _volume(self, volume):
        return self._path("volumes", volume.name)

    def _make(self, path, size_gb, origin=None):
        if origin is not None:
            subprocess.check_call(["cp", "--sparse=always", origin, path])
        with open(path, "ab") as made:
            made.truncate(size_gb << 30)

    def create_volume(self, volume):
        super(FilesDriver, self).create_volume(volume)
        self._make(self._volume(volume), volume.size)

    def create_volume_from_snapshot(self, volume, snapshot):
        self._make(self._volume(volume), volume.size, self._path("snapshots", snapshot.name))

    def create_cloned_volume(self, volume, src_vref):
        self._make(self._volume(volume), volume.size, self._volume(src_vref))

    def delete_volume(self, volume):
        os.unlink(self._volume(volume))

    def extend_volume(self, volume, new_size):
        self._make(self._volume(volume), new_size)

    def create_snapshot(self, snapshot):
        self._make(self._path("snapshots", snapshot.name), snapshot.volume_size, self._volume(snapshot.volume))

    def delete_snapshot(self, snapshot):
        os.unlink(self._path("snapshots", snapshot.name))
