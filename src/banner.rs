//! What the server prints: its addresses, its last line, and why it can't listen.

use papo::config::Config;
use papo::os_error::describe;
use papo::pt::group_thousands;
use papo::server::capacity::Capacity;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// The banner.
pub fn welcome(
    address: SocketAddr,
    history: &str,
    note: Option<&str>,
    capacity: &Capacity,
    moderator_key: &str,
) -> String {
    let port = address.port();
    let mut text = format!("Papo {} está no ar.\n\n", env!("CARGO_PKG_VERSION"));
    let mut line = |what: &str, value: &str| text.push_str(&format!("  {what:<18} {value}\n"));
    let network = network_address(address.ip());
    let local = match address.ip() {
        ip if ip.is_loopback() || ip.is_unspecified() => format!("localhost:{port}"),
        ip => authority(ip, port),
    };
    line("Neste computador", &format!("http://{local}/"));
    match network {
        Some(ip) => {
            let remote = authority(ip, port);
            line(
                "Na rede",
                &format!("http://{remote}/     ← envie este endereço"),
            );
            line("No terminal", &format!("cliente {remote}"));
        }
        None => line("No terminal", &format!("cliente {local}")),
    }
    let moderator_link = format!(
        "http://{local}/#chave={moderator_key}     (vale uma vez; no terminal: cliente --chave {moderator_key})"
    );
    line("Para organizar", &moderator_link);
    let connections = group_thousands(capacity.connections as u64);
    text.push_str(&format!(
        "\n  Conexões: até {connections} ao mesmo tempo (limite de {})\n",
        capacity.limited_by
    ));
    if let Some(note) = note {
        text.push_str(&format!("  {note}\n"));
    }
    text.push_str(&format!(
        "  Histórico: {history}        Para encerrar: Ctrl+C\n"
    ));
    if address.ip().is_loopback() {
        text.push_str(
            "\n  Só este computador alcança o servidor. Para abrir à rede: servidor --rede\n",
        );
    }
    text
}

/// The link for other devices; `None` if only this computer can connect.
pub fn network_link(address: SocketAddr) -> Option<String> {
    network_address(address.ip()).map(|ip| format!("http://{}/", authority(ip, address.port())))
}

/// The last line.
pub fn goodbye(notified: usize) -> String {
    match notified {
        0 => "Encerrando… Até logo.\n".into(),
        1 => "Encerrando… 1 pessoa avisada. Até logo.\n".into(),
        n => format!("Encerrando… {n} pessoas avisadas. Até logo.\n"),
    }
}

/// Why the server can't listen, and what to do about it.
pub fn listen_error(config: &Config, error: &io::Error) -> String {
    let address = config.address;
    let port = config.port;
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let other = port.checked_add(1).unwrap_or(9000);
            format!(
                "Não consegui usar a porta {port}: outro programa já está nela. Talvez o servidor já esteja ligado. \
                 Feche-o ou escolha outra porta: servidor --porta {other}"
            )
        }
        io::ErrorKind::PermissionDenied if port < 1024 => format!(
            "Não consegui usar a porta {port}: o sistema reserva as portas abaixo de 1024. Escolha uma maior: \
             servidor --porta 9000"
        ),
        io::ErrorKind::AddrNotAvailable => {
            let own = network_address(IpAddr::from([0, 0, 0, 0]))
                .map_or(String::new(), |ip| format!("{ip}, "));
            format!(
                "O endereço {address} não pertence a este computador. Use um dos seus ({own}127.0.0.1) ou --rede para \
                 todos."
            )
        }
        _ => format!(
            "Não consegui escutar em {} ({}). Tente outra porta: servidor --porta 9001",
            authority(address, port),
            describe(error)
        ),
    }
}

/// The address at which other devices reach a server that listens on `ip`; `None` if they can't.
fn network_address(ip: IpAddr) -> Option<IpAddr> {
    if ip.is_loopback() {
        return None;
    }
    if !ip.is_unspecified() {
        return Some(ip);
    }
    // Connecting a UDP socket sends nothing; it only selects the local address.
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_loopback() && !own.is_unspecified()).then_some(own)
}

fn authority(ip: IpAddr, port: u16) -> String {
    SocketAddr::new(ip, port).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capacity() -> Capacity {
        Capacity {
            connections: 10_000,
            limited_by: "--max-conexoes",
        }
    }

    #[test]
    fn banner_of_a_loopback_server_names_localhost() {
        let text = welcome(
            "127.0.0.1:9000".parse().unwrap(),
            "historico.db (2 mensagens)",
            Some("O arquivo foi atualizado."),
            &capacity(),
            "c0ffee",
        );
        assert!(
            text.contains("Neste computador   http://localhost:9000/\n"),
            "{text}"
        );
        assert!(
            text.contains("  Conexões: até 10.000 ao mesmo tempo (limite de --max-conexoes)\n")
        );
        assert!(!text.contains("Na rede"));
        let moderator_line = "  Para organizar     http://localhost:9000/#chave=c0ffee     (vale uma vez; no terminal: cliente --chave c0ffee)\n";
        assert!(text.contains(moderator_line), "{text}");
        assert!(
            text.contains(
                "  O arquivo foi atualizado.\n  Histórico: historico.db (2 mensagens)        Para encerrar: Ctrl+C\n"
            )
        );
        assert!(text.contains("Para abrir à rede: servidor --rede"));
    }

    #[test]
    fn banner_of_a_bound_address_shows_that_address() {
        let text = welcome(
            "[2001:db8::1]:9100".parse().unwrap(),
            "nenhum",
            None,
            &capacity(),
            "c0ffee",
        );
        assert!(
            text.contains(
                "Na rede            http://[2001:db8::1]:9100/     ← envie este endereço"
            ),
            "{text}"
        );
        assert!(text.contains("No terminal        cliente [2001:db8::1]:9100"));
        assert_eq!(
            network_link("[2001:db8::1]:9100".parse().unwrap()).unwrap(),
            "http://[2001:db8::1]:9100/"
        );
        assert_eq!(network_link("127.0.0.1:9000".parse().unwrap()), None);
    }

    #[test]
    fn memory_history_line_fits_80_columns() {
        let config = Config {
            history: papo::config::HistoryLocation::Memory,
            ..Config::default()
        };
        let sentence = crate::open_history::open(&config).unwrap().summary;
        let text = welcome(
            "127.0.0.1:9000".parse().unwrap(),
            &sentence,
            None,
            &capacity(),
            "c0ffee",
        );
        let line = text
            .lines()
            .find(|line| line.contains("Histórico"))
            .unwrap();
        assert!(line.chars().count() < 80, "{line}");
    }

    #[test]
    fn goodbye_counts_the_notified_people() {
        assert_eq!(goodbye(1), "Encerrando… 1 pessoa avisada. Até logo.\n");
        assert_eq!(goodbye(3), "Encerrando… 3 pessoas avisadas. Até logo.\n");
    }
}
