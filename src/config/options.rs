//! The table of knobs: one row is one thing that whoever starts the server may choose.

use super::{Config, HistoryLocation, UsageError};
use crate::protocol::Password;
use crate::pt::group_thousands;
use std::net::{IpAddr, Ipv4Addr};

/// Connections that anybody may ask for; more than any system's limits let through.
const MAX_CONNECTIONS: usize = 1_000_000;
/// Messages per second beyond which a limit is none.
const MAX_RATE: f64 = 100_000.0;
/// Messages per second below which nobody would wait for the next one: one in a hundred seconds.
const MIN_RATE: f64 = 0.01;

/// Days beyond which keeping is keeping for ever: a hundred years.
const MAX_KEEP_DAYS: u32 = 36_500;

/// One thing to choose.
pub struct OptionSpec {
    pub short: Option<char>,
    pub long: &'static str,
    /// What stands for the value in the help; `None` for a switch.
    pub value: Option<&'static str>,
    pub help: &'static str,
    pub variable: &'static str,
    /// A whole option, for error messages.
    pub example: &'static str,
    pub set: fn(&mut Config, &str) -> Result<(), UsageError>,
    /// Forgets what the variable gave, before the first flag.
    pub clear: fn(&mut Config),
}

fn no_op(_: &mut Config) {}

/// All knobs, in the order of the help.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        short: Some('p'),
        long: "porta",
        value: Some("N"),
        help: "Porta de escuta; 0 escolhe uma livre [padrão: 9000]",
        variable: "PAPO_PORTA",
        example: "--porta 9000",
        set: set_port,
        clear: no_op,
    },
    OptionSpec {
        short: Some('r'),
        long: "rede",
        value: None,
        help: "Abre à rede local (o mesmo que --endereco 0.0.0.0) e mostra o QR code",
        variable: "PAPO_REDE",
        example: "--rede",
        set: |config, _| {
            config.address = Ipv4Addr::UNSPECIFIED.into();
            Ok(())
        },
        clear: no_op,
    },
    OptionSpec {
        short: Some('e'),
        long: "endereco",
        value: Some("IP"),
        help: "Endereço de escuta [padrão: 127.0.0.1, só este computador]",
        variable: "PAPO_ENDERECO",
        example: "--endereco 192.168.0.10",
        set: set_address,
        clear: no_op,
    },
    OptionSpec {
        short: None,
        long: "historico",
        value: Some("ARQUIVO"),
        help: "Onde guardar as mensagens; “nenhum” guarda só na memória [padrão: historico.db]",
        variable: "PAPO_HISTORICO",
        example: "--historico historico.db",
        set: |config, value| {
            config.history = if value == "nenhum" {
                HistoryLocation::Memory
            } else {
                HistoryLocation::File(value.into())
            };
            Ok(())
        },
        clear: no_op,
    },
    OptionSpec {
        short: None,
        long: "guardar",
        value: Some("DIAS"),
        help: "Por quantos dias guardar as mensagens, ou “sempre” [padrão: sempre]",
        variable: "PAPO_GUARDAR",
        example: "--guardar 30",
        set: set_keep_days,
        clear: no_op,
    },
    OptionSpec {
        short: None,
        long: "copia",
        value: Some("ARQUIVO"),
        help: "Copia o histórico para este arquivo e sai, também com o servidor ligado",
        variable: "PAPO_COPIA",
        example: "--copia copia.db",
        set: |config, value| {
            config.copy_to = Some(value.into());
            Ok(())
        },
        clear: no_op,
    },
    OptionSpec {
        short: None,
        long: "ritmo",
        value: Some("N"),
        help: "Mensagens por segundo de cada pessoa; 0 = sem limite [padrão: 5]",
        variable: "PAPO_RITMO",
        example: "--ritmo 5",
        set: set_rate,
        clear: no_op,
    },
    OptionSpec {
        short: None,
        long: "max-conexoes",
        value: Some("N"),
        help: "Limite de conexões ao mesmo tempo [padrão: o que a máquina aguenta, até 10000]",
        variable: "PAPO_MAX_CONEXOES",
        example: "--max-conexoes 1000",
        set: set_max_connections,
        clear: no_op,
    },
    OptionSpec {
        short: None,
        long: "origem",
        value: Some("URL"),
        help: "Aceita também páginas servidas por este endereço (pode repetir)",
        variable: "PAPO_ORIGEM",
        example: "--origem https://papo.exemplo.com.br",
        set: add_origin,
        clear: |config| config.origins.clear(),
    },
    OptionSpec {
        short: None,
        long: "dominio",
        value: Some("NOME"),
        help: "Atende também por este nome (pode repetir)",
        variable: "PAPO_DOMINIO",
        example: "--dominio papo.exemplo.com.br",
        set: add_domain,
        clear: |config| config.domains.clear(),
    },
    OptionSpec {
        short: None,
        long: "senha",
        value: Some("SENHA"),
        help: "Pede esta senha a quem entra; em PAPO_SENHA as outras contas da máquina não a veem",
        variable: "PAPO_SENHA",
        example: "--senha SENHA",
        set: set_password,
        clear: no_op,
    },
    OptionSpec {
        short: None,
        long: "sem-qr",
        value: None,
        help: "Não mostra o QR code",
        variable: "PAPO_SEM_QR",
        example: "--sem-qr",
        set: |config, _| {
            config.qr_code = false;
            Ok(())
        },
        clear: no_op,
    },
    OptionSpec {
        short: None,
        long: "log",
        value: Some("ARQUIVO"),
        help: "Escreve os registros neste arquivo, em vez da saída de erros",
        variable: "PAPO_LOG",
        example: "--log papo.log",
        set: |config, value| {
            config.log_file = Some(value.into());
            Ok(())
        },
        clear: no_op,
    },
    OptionSpec {
        short: Some('v'),
        long: "detalhes",
        value: None,
        help: "Registra mais (repita para ainda mais)",
        variable: "PAPO_DETALHES",
        example: "--detalhes",
        set: |config, _| {
            config.verbosity = config.verbosity.saturating_add(1);
            Ok(())
        },
        clear: |config| config.verbosity = 0,
    },
];

impl OptionSpec {
    /// Whether this is the knob's flag, dashes included.
    pub fn matches_flag(&self, flag: &str) -> bool {
        match flag.strip_prefix("--") {
            Some(long) => long == self.long,
            None => self.short.is_some_and(|short| {
                flag.strip_prefix('-') == Some(short.encode_utf8(&mut [0; 4]))
            }),
        }
    }

    /// The two columns of the help.
    pub fn help(&self) -> (String, String) {
        let short = self
            .short
            .map_or("    ".into(), |short| format!("-{short}, "));
        let value = self
            .value
            .map_or(String::new(), |value| format!(" <{value}>"));
        (
            format!("  {short}--{}{value}", self.long),
            self.help.to_owned(),
        )
    }

    /// Takes a value from the environment: switches say `1` or `sim`, lists are divided by commas.
    pub fn set_from_variable(&self, config: &mut Config, value: &str) -> Result<(), UsageError> {
        if self.value.is_none() {
            let times = match value.to_lowercase().as_str() {
                "0" | "não" | "nao" | "false" => 0,
                "1" | "sim" | "true" => 1,
                "2" => 2,
                _ => {
                    let text = format!(
                        "“{value}” não serve para {}. Use sim ou não.",
                        self.variable
                    );
                    return Err(UsageError(text));
                }
            };
            return (0..times).try_for_each(|_| (self.set)(config, ""));
        }
        let is_list = matches!(self.long, "origem" | "dominio");
        if !is_list {
            return (self.set)(config, value);
        }
        value
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .try_for_each(|item| (self.set)(config, item))
    }
}

fn set_port(config: &mut Config, value: &str) -> Result<(), UsageError> {
    config.port = value.parse().map_err(|_| {
        UsageError(format!("“{value}” não é uma porta. Use um número de 1 a 65535, por exemplo: servidor --porta 9000"))
    })?;
    Ok(())
}

fn set_address(config: &mut Config, value: &str) -> Result<(), UsageError> {
    let address = if value == "localhost" {
        Ok(Ipv4Addr::LOCALHOST.into())
    } else {
        value.parse::<IpAddr>()
    };
    config.address = address.map_err(|_| {
        let text = format!(
            "“{value}” não é um endereço IP. Use um dos endereços deste computador, por exemplo: servidor --endereco \
             192.168.0.10, ou --rede para todos."
        );
        UsageError(text)
    })?;
    Ok(())
}

fn set_keep_days(config: &mut Config, value: &str) -> Result<(), UsageError> {
    if value == "sempre" {
        config.keep_days = None;
        return Ok(());
    }
    let days = value
        .parse()
        .ok()
        .filter(|days| (1..=MAX_KEEP_DAYS).contains(days));
    config.keep_days = Some(days.ok_or_else(|| {
        UsageError(format!(
            "“{value}” não é um número de dias. Use por exemplo: servidor --guardar 30, ou --guardar sempre"
        ))
    })?);
    Ok(())
}

fn set_rate(config: &mut Config, value: &str) -> Result<(), UsageError> {
    let rate = value.replace(',', ".").parse::<f64>().ok();
    let rate = rate.filter(|&rate| rate == 0.0 || (MIN_RATE..=MAX_RATE).contains(&rate));
    config.rate = rate.ok_or_else(|| {
        UsageError(format!(
            "“{value}” não é um ritmo. Use mensagens por segundo, por exemplo: servidor --ritmo 5"
        ))
    })?;
    Ok(())
}

fn set_max_connections(config: &mut Config, value: &str) -> Result<(), UsageError> {
    let number = value
        .parse()
        .ok()
        .filter(|number| (1..=MAX_CONNECTIONS).contains(number));
    config.max_connections = number.ok_or_else(|| {
        let text = format!(
            "“{value}” não é um número de conexões. Use de 1 a {}, por exemplo: servidor --max-conexoes 1000",
            group_thousands(MAX_CONNECTIONS as u64)
        );
        UsageError(text)
    })?;
    Ok(())
}

fn set_password(config: &mut Config, value: &str) -> Result<(), UsageError> {
    // The sentence never repeats what was typed.
    let text = format!(
        "Esta senha não serve. Use de 1 a {} caracteres: servidor --senha SENHA",
        Password::MAX
    );
    config.password = Some(Password::new(value).ok_or(UsageError(text))?);
    Ok(())
}

fn add_origin(config: &mut Config, value: &str) -> Result<(), UsageError> {
    let origin = value.trim_end_matches('/').to_ascii_lowercase();
    let rest = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    let well_formed =
        origin == "null" || rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['/', ' ']));
    if !well_formed {
        let text = format!(
            "“{value}” não é a origem de uma página. Escreva como no navegador, sem caminho: servidor --origem \
             https://papo.exemplo.com.br"
        );
        return Err(UsageError(text));
    }
    config.origins.push(origin);
    Ok(())
}

fn add_domain(config: &mut Config, value: &str) -> Result<(), UsageError> {
    let domain = value.trim_end_matches('.').to_ascii_lowercase();
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    if domain.is_empty() || !domain.chars().all(allowed) {
        let text = format!(
            "“{value}” não é um nome de domínio. Por exemplo: servidor --dominio papo.exemplo.com.br"
        );
        return Err(UsageError(text));
    }
    config.domains.push(domain);
    Ok(())
}
