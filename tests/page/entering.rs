//! Coming in: from the served page and from the file, and being told why not.

use crate::browser::Browser;
use crate::stage::{Folder, Port, Servidor, TestServer, Visitor};
use crate::talk::file_page;

#[test]
#[ignore = "needs chromium"]
fn somebody_enters_the_served_page() {
    let (server, browser) = (TestServer::start(), Browser::start());
    let ana = browser.person().opens(&server.url());
    ana.presses("Enter");
    ana.sees("Escreva um nome para entrar.");
    ana.writes("a\u{202e}<b>");
    ana.presses("Enter");
    ana.sees("Este nome não serve: use até 24 letras, números, espaços, ponto, hífen ou sublinhado.");
    ana.poses("entering-refused");
    let mut rita = Visitor::enter(server.address, "Rita", "geral");
    ana.look("document.activeElement.select()");
    ana.writes("RITA");
    ana.presses("Enter");
    ana.sees("O nome “RITA” já está em uso nesta conversa.");
    ana.enters("Ana");
    rita.hears(|message| message["type"] == "presence" && message["joined"][0]["name"] == "Ana");
    rita.says("oi, Ana");
    ana.hears("Rita", "oi, Ana");
    ana.ends("entering-served");
}

#[test]
#[ignore = "needs chromium"]
fn somebody_enters_from_the_file() {
    let (port, folder) = (Port::reserve(), Folder::new());
    let html = file_page(&folder);
    let history = folder.path().join("h.db");
    let browser = Browser::start();
    let person = browser.person();
    // Without a server the page says so, and tries when it is asked to.
    let ana = person.opens(&format!("{html}#{}", port.address));
    ana.writes("Ana");
    ana.presses("Enter");
    ana.sees(&format!("Não encontrei o servidor em {}.", port.address));
    let _server = Servidor::start(&port, &history, &[], folder.path());
    ana.reloads();
    ana.enters("Ana");
    ana.says("de um arquivo");
    ana.hears("Ana", "de um arquivo");
    ana.ends("entering-file");
}
