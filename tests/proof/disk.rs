//! A disk that is full: the log lies on a small file system of its own, beside some ballast.
//!
//! Tells whether a message that could not be stored is refused and seen by nobody, whether reading goes on meanwhile,
//! and whether everything goes on by itself as soon as there is space again, with the same ids. Where the system does
//! not let us mount anything the proof is skipped, and says so.

use crate::client::Client;
use crate::port::Port;
use crate::stage::{Deadline, Dice, Folder, Servidor, was_killed};
use crate::verdict::{assert_consistent, stored_entries};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;

/// The log's file on the small disk.
const LOG: &str = "historico.db";
/// SQLite moves the journal's pages into the database when there are a thousand of them: so many KiB.
const JOURNAL_KIB: u64 = 1000 * (4096 + 24) / 1024;
/// So often in a row the same message is refused before a disk is taken for full.
const REFUSALS: usize = 20;
/// Makes a message about a page of the database long, so that the disk is full soon.
const LONG: usize = 3000;

/// A file system in memory, unmounted at the end whatever happens.
struct SmallDisk {
    folder: Folder,
}

impl SmallDisk {
    /// Mounts one of so many KiB; `None` where that is not allowed.
    fn mount(kib: u64) -> Option<Self> {
        let folder = Folder::new();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "papo-prova"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self { folder });
        }
        // Straight to stderr, once: what is printed with a macro is not shown when a test passes.
        static TOLD: Once = Once::new();
        TOLD.call_once(|| {
            drop(writeln!(
                std::io::stderr(),
                "Skipped: mounting a small tmpfs is not allowed here."
            ))
        });
        None
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.file(name)
    }

    /// Takes so many KiB away.
    fn ballast(&self, kib: usize) -> PathBuf {
        let path = self.file("lastro");
        std::fs::write(&path, vec![1; kib * 1024]).unwrap();
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: if a proof failed, its server may still be about to end.
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.folder.path())
            .status();
    }
}

/// A server whose log is on a small disk, and two people: one talks, the other listens.
struct Scene {
    disk: SmallDisk,
    outside: Folder,
    port: Port,
    deadline: Deadline,
    dice: Dice,
    server: Servidor,
    ana: Client,
    bruno: Client,
}

impl Scene {
    fn new(disk: SmallDisk, mut dice: Dice) -> Self {
        let (outside, port, deadline) = (
            Folder::new(),
            Port::reserve(),
            Deadline::within_seconds(180),
        );
        let server = Servidor::spawn(&port, &disk.file(LOG), &outside).started();
        let ana = Client::new("Ana", port.address, 1, deadline, dice.fork());
        let bruno = Client::new("Bruno", port.address, 1, deadline, dice.fork());
        Self {
            disk,
            outside,
            port,
            deadline,
            dice,
            server,
            ana,
            bruno,
        }
    }

    /// The bytes of one of the log's files.
    fn size(&self, name: &str) -> u64 {
        self.disk.file(name).metadata().unwrap().len()
    }

    /// Ana talks, and Bruno listens, until something is refused again and again.
    fn talk_until_refused(&mut self) {
        let before = self.ana.refused;
        while self.ana.refused < before + REFUSALS {
            if self.ana.log.unacked.is_empty() {
                let stored = self.stored();
                self.bruno.hold(stored);
                self.ana.log.say(&"~".repeat(LONG));
            }
            self.ana.step();
        }
    }

    /// How much has been acknowledged.
    fn stored(&self) -> u64 {
        self.ana.log.acks.len() as u64
    }

    /// Nobody sees what was refused, and whoever comes now can read all the rest.
    fn everybody_can_read(&mut self, newcomer: &str) {
        let stored = self.stored();
        self.bruno.hold(stored);
        Client::new(
            newcomer,
            self.port.address,
            1,
            self.deadline,
            self.dice.fork(),
        )
        .hold(stored);
        assert!(self.server.runs(), "the server ended");
    }

    /// There is space again: what was refused is taken as if for the first time, under the same id.
    fn heals(&mut self, ballast: &Path) {
        let refused = self.ana.log.unacked.front().cloned().unwrap();
        std::fs::remove_file(ballast).unwrap();
        self.ana.settle();
        let ack = self.ana.log.acks.last().unwrap();
        assert_eq!(
            (&ack.id, ack.duplicate, ack.seq),
            (&refused.id, false, self.stored())
        );
        self.everybody_can_read("Davi");
    }

    /// Kills the server and starts another with the same file.
    fn kill_and_start_again(mut self) -> Self {
        assert!(was_killed(self.server.kill()), "the server ended by itself");
        self.server = Servidor::spawn(&self.port, &self.disk.file(LOG), &self.outside).started();
        self
    }

    /// The end of every story: one more message, and the verdict over the file as it is after another kill.
    fn verdict(mut self) {
        self.ana.log.say("");
        self.ana.settle();
        let mut scene = self.kill_and_start_again();
        scene.everybody_can_read("Eva");
        let stored_now = scene.stored();
        scene.ana.hold(stored_now);
        assert_consistent(&stored_entries(&scene.disk.file(LOG)), [&scene.ana.log]);
        assert_eq!(scene.bruno.log.entries, scene.ana.log.entries);
    }
}

#[test]
fn on_a_full_disk_reading_goes_on_and_writing_comes_back_by_itself() {
    let (dice, _seed) = Dice::new();
    let Some(disk) = SmallDisk::mount(1024) else {
        return;
    };
    let ballast = disk.ballast(300);
    let mut scene = Scene::new(disk, dice);
    scene.talk_until_refused();
    scene.everybody_can_read("Célia");
    scene.heals(&ballast);
    scene.verdict();
}

#[test]
fn a_server_killed_on_a_full_disk_starts_again_on_it() {
    let (dice, _seed) = Dice::new();
    let Some(disk) = SmallDisk::mount(1024) else {
        return;
    };
    let ballast = disk.ballast(300);
    let mut scene = Scene::new(disk, dice);
    scene.talk_until_refused();
    let mut scene = scene.kill_and_start_again();
    scene.everybody_can_read("Célia");
    scene.talk_until_refused();
    scene.heals(&ballast);
    scene.verdict();
}

#[test]
fn a_disk_that_fills_while_the_journal_is_being_tidied_loses_nothing() {
    let (dice, _seed) = Dice::new();
    // Room for more journal than SQLite lets grow, and then for too little of the database.
    let Some(disk) = SmallDisk::mount(JOURNAL_KIB + 2048 + 200) else {
        return;
    };
    let ballast = disk.ballast(2048);
    let mut scene = Scene::new(disk, dice);
    scene.talk_until_refused();
    let journal = scene.size("historico.db-wal");
    assert!(
        journal > JOURNAL_KIB * 1024,
        "the journal was never due to be tidied: {journal} bytes"
    );
    scene.everybody_can_read("Célia");
    let database = scene.size(LOG);
    scene.heals(&ballast);
    assert!(
        scene.size(LOG) > database,
        "the journal was not tidied when there was space again"
    );
    scene.verdict();
}
