import DynamoModel
import Platform
import TableEngine
import Telemetry

extension SQLiteTableStore {
    /// Writes what there is to be known of the tables' backups and of their change stream. Blocks shortly.
    func writeMetrics(to text: inout MetricsText) {
        text.family(
            "flag_server_backup_log_follows", .gauge,
            "Whether the logs of continuous backups take every write; what they lack waits in the stream.")
        text.sample(backupTrouble == nil ? 1 : 0)
        text.family(
            "flag_server_last_backups_made", .gauge,
            "Whether the backup of every table that was replaced or deleted is made, or can be.")
        text.sample(lastBackupTrouble == nil ? 1 : 0)
        text.family(
            "flag_server_backup_log_damages", .gauge,
            "Damaged places of the logs of continuous backups from which something could still be asked.")
        text.sample(UInt64(logDamages.count))
        text.family("flag_server_restores_failed_total", .counter, "Restores that failed after they had begun well.")
        text.sample(UInt64(failedRestores))
        if let reserve = reserveState {
            text.family(
                "flag_server_reserve_bytes", .gauge,
                "Bytes of the disk that are left of what was set aside for kill switches.")
            text.sample(UInt64(reserve.leftBytes))
        }
        writeFollowers(to: &text)
        // Left out where the store does not answer: a gauge has no way to say so.
        guard let stream = try? changeStream() else { return }
        text.family("flag_server_change_stream_bytes", .gauge, "Bytes of the change stream.")
        text.sample(UInt64(stream.bytes))
        text.family("flag_server_change_stream_bytes_max", .gauge, "Bytes that it should have at most; 0 for no bound.")
        text.sample(UInt64(stream.bytesMax))
        text.family("flag_server_change_stream_changes", .gauge, "Changes in the change stream.")
        text.sample(UInt64(stream.changes))
        text.family(
            "flag_server_change_stream_needed_changes", .gauge,
            "Changes in it that must stay: somebody who follows them has not taken them yet.")
        text.sample(UInt64(stream.neededChanges))
        if let first = stream.firstCommittedAt {
            text.family(
                "flag_server_change_stream_start_time_seconds", .gauge,
                "When the first change in it was made, in seconds since 1970.")
            text.sample(fraction: Double(first) / 1_000)
        }
    }

    /// Writes how everybody goes who follows the changes. From memory: also where the store does not answer.
    private func writeFollowers(to text: inout MetricsText) {
        let followers = followers
        text.family(
            "flag_server_follower_lag_seconds", .gauge,
            "For how long the oldest change has waited that who follows them has not taken; 0 when none waits.")
        for follower in followers {
            text.sample(fraction: Double(follower.lagMilliseconds) / 1_000, ["follower": follower.name])
        }
        text.family("flag_server_follower_pending_changes", .gauge, "Changes that wait for who follows them.")
        for follower in followers { text.sample(UInt64(follower.pendingChanges), ["follower": follower.name]) }
        text.family(
            "flag_server_follower_failures_total", .counter,
            "How often changes could not be taken by who follows them, and were tried again.")
        for follower in followers { text.sample(follower.failures, ["follower": follower.name]) }
    }

    /// What is left of the disk space that was set aside for kill switches; nil while it is whole.
    var reserveComplaint: String? {
        guard let reserve = reserveState, !reserve.isWhole else { return nil }
        return reserve.leftBytes == 0
            ? "used up, not even kill switches can be set; free space"
            : "in use, \(reserve.leftBytes >> 10) KiB are left for kill switches and for nothing else; free space"
    }
}

extension SQLiteTableStore {
    /// Writes how old the newest backup of a table is.
    func writeNewestBackup(of table: String, to text: inout MetricsText) {
        text.family(
            "flag_server_newest_backup_time_seconds", .gauge,
            "When the newest backup of the flag table was made, in seconds since 1970; 0 when there is none.")
        // Left out where they cannot be read: a gauge has no way to say so.
        do throws(TableError) {
            text.sample(fraction: Double(try newestBackup(of: table) ?? 0) / 1_000, ["table": table])
        } catch {}
    }
}

extension FileSystemRoom {
    /// Writes how much room there is for the data.
    func writeMetrics(to text: inout MetricsText) {
        text.family("flag_server_data_size_bytes", .gauge, "Bytes of the file system that the data is on.")
        text.sample(size)
        text.family("flag_server_data_free_bytes", .gauge, "Bytes of it that are free.")
        text.sample(free)
    }
}
