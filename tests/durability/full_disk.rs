//! A full disk: the history lies on a small file system of its own, beside some ballast.
//!
//! A message that could not be stored is refused and shown to no client, reading goes on, and writing resumes with the same
//! ids as soon as there is space again. Where mounting is not allowed the tests are skipped, and say so.

use crate::consistency::{assert_consistent, stored_entries};
use crate::harness::{kill, listening, server_on};
use crate::reconnecting_client::ReconnectingClient;
use crate::support::Deadline;
use crate::support::process::{Program, ServerProcess};
use crate::support::rng::Rng;
use crate::support::server::ReservedPort;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;
use tempfile::TempDir;

/// The history on the small disk.
const HISTORY_FILE: &str = "historico.db";
/// The journal's pages are moved into the database when there are a thousand of them: so many KiB.
const CHECKPOINT_KIB: u64 = 1000 * (4096 + 24) / 1024;
/// So often in a row the same message is refused before a disk is taken for full.
const REFUSALS_WHEN_FULL: usize = 20;
/// Makes a message about a page of the database long, so that the disk is full soon.
const LONG_PADDING: usize = 3000;

/// A file system in memory, unmounted at the end whatever happens.
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts one of so many KiB; `None` where that is not allowed.
    pub fn mount(kib: u64) -> Option<Self> {
        static WARNED: Once = Once::new();
        let folder = TempDir::new().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "papo-prova"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self { folder });
        }
        // Straight to stderr, once: the output of macros is not shown when a test passes.
        WARNED.call_once(|| {
            let _ = writeln!(
                std::io::stderr(),
                "Skipped: mounting a small tmpfs is not allowed here."
            );
        });
        None
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets nobody write to it any more.
    pub fn remount_read_only(&self) {
        let remounted = Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(self.folder.path())
            .status();
        assert!(remounted.unwrap().success());
    }

    /// Takes so many KiB away.
    pub fn add_ballast(&self, kib: usize) -> PathBuf {
        let path = self.file("lastro");
        std::fs::write(&path, vec![1; kib * 1024]).unwrap();
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: if a test failed, its server may still be about to end.
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.folder.path())
            .status();
    }
}

/// A server with its history on a small disk, and two people: one talks, the other listens.
struct FullDiskHarness {
    // Dropped in this order: the disk is unmounted after the server has ended.
    server: ServerProcess,
    program: Program,
    disk: SmallDisk,
    port: ReservedPort,
    deadline: Deadline,
    rng: Rng,
    ana: ReconnectingClient,
    bruno: ReconnectingClient,
}

impl FullDiskHarness {
    fn new(disk: SmallDisk, mut rng: Rng) -> Self {
        let port = ReservedPort::new();
        let deadline = Deadline::within_seconds(180);
        let mut program = server_on(&port, &disk.file(HISTORY_FILE));
        let server = listening(program.spawn().unwrap());
        let ana = ReconnectingClient::new("Ana", port.address, 1, deadline, rng.fork());
        let bruno = ReconnectingClient::new("Bruno", port.address, 1, deadline, rng.fork());
        Self {
            server,
            program,
            disk,
            port,
            deadline,
            rng,
            ana,
            bruno,
        }
    }

    /// The size of one of the history's files, in bytes.
    fn file_size(&self, name: &str) -> u64 {
        self.disk.file(name).metadata().unwrap().len()
    }

    /// Ana talks, and Bruno listens, until something is refused again and again.
    fn talk_until_refused(&mut self) {
        let before = self.ana.refusal_count;
        while self.ana.refusal_count < before + REFUSALS_WHEN_FULL {
            if self.ana.transcript.unacked.is_empty() {
                let stored = self.acked_count();
                self.bruno.sync_to(stored);
                self.ana.transcript.say(&"~".repeat(LONG_PADDING));
            }
            self.ana.step();
        }
    }

    /// How much has been acknowledged.
    fn acked_count(&self) -> u64 {
        self.ana.transcript.acks.len() as u64
    }

    /// What was refused is shown to no client, and a newcomer can read all the rest.
    fn assert_all_can_read(&mut self, newcomer: &str) {
        let stored = self.acked_count();
        self.bruno.sync_to(stored);
        ReconnectingClient::new(
            newcomer,
            self.port.address,
            1,
            self.deadline,
            self.rng.fork(),
        )
        .sync_to(stored);
        assert!(self.server.process.is_running(), "the server ended");
    }

    /// There is space again: what was refused is taken as if for the first time, under the same id.
    fn free_space_and_recover(&mut self, ballast: &Path) {
        let refused = self.ana.transcript.unacked.front().cloned().unwrap();
        std::fs::remove_file(ballast).unwrap();
        self.ana.wait_for_acks();
        let ack = self.ana.transcript.acks.last().unwrap();
        assert_eq!(
            (&ack.id, ack.duplicate, ack.seq),
            (&refused.id, false, self.acked_count())
        );
        self.assert_all_can_read("Davi");
    }

    /// Kills the server and starts another with the same file.
    fn kill_and_restart(&mut self) {
        kill(&mut self.server.process);
        self.server = listening(self.program.spawn().unwrap());
    }

    /// The end of every test: one more message, another kill, and the check of the file.
    fn finish(mut self) {
        self.ana.transcript.say("");
        self.ana.wait_for_acks();
        self.kill_and_restart();
        self.assert_all_can_read("Eva");
        let stored = self.acked_count();
        self.ana.sync_to(stored);
        assert_consistent(
            &stored_entries(&self.disk.file(HISTORY_FILE)),
            [&self.ana.transcript],
        );
        assert_eq!(self.bruno.transcript.entries, self.ana.transcript.entries);
    }
}

#[test]
fn full_disk_keeps_reads_and_writes_resume_with_space() {
    let rng = Rng::new();
    let Some(disk) = SmallDisk::mount(1024) else {
        return;
    };
    let ballast = disk.add_ballast(300);
    let mut harness = FullDiskHarness::new(disk, rng);
    harness.talk_until_refused();
    harness.assert_all_can_read("Célia");
    harness.free_space_and_recover(&ballast);
    harness.finish();
}

#[test]
fn server_killed_on_a_full_disk_starts_again() {
    let rng = Rng::new();
    let Some(disk) = SmallDisk::mount(1024) else {
        return;
    };
    let ballast = disk.add_ballast(300);
    let mut harness = FullDiskHarness::new(disk, rng);
    harness.talk_until_refused();
    harness.kill_and_restart();
    harness.assert_all_can_read("Célia");
    harness.talk_until_refused();
    harness.free_space_and_recover(&ballast);
    harness.finish();
}

#[test]
fn disk_full_during_checkpoint_loses_nothing() {
    let rng = Rng::new();
    // Room for more journal than SQLite lets grow and for the server's reserve, and then for too little of the database.
    let Some(disk) = SmallDisk::mount(CHECKPOINT_KIB + 2048 + 320) else {
        return;
    };
    let ballast = disk.add_ballast(2048);
    let mut harness = FullDiskHarness::new(disk, rng);
    harness.talk_until_refused();
    let journal = harness.file_size("historico.db-wal");
    assert!(
        journal > CHECKPOINT_KIB * 1024,
        "the journal was never due to be tidied: {journal} bytes"
    );
    harness.assert_all_can_read("Célia");
    let database = harness.file_size(HISTORY_FILE);
    harness.free_space_and_recover(&ballast);
    // It is tried again and again; no event tells that it has succeeded.
    let deadline = Deadline::of_one_event();
    while harness.file_size(HISTORY_FILE) <= database {
        assert!(
            !deadline.is_over(),
            "the journal was not tidied when there was space again"
        );
        std::thread::yield_now();
    }
    harness.finish();
}
