//! Opens or exports the history for the command line; an error is the sentence to print.

use papo::config::{Config, Export, HistoryLocation};
use papo::history::History;
use papo::history::memory::MemoryHistory;
use papo::history::sqlite::{self, HistoryOptions, Incident, OpenError, Retention, SqliteHistory};
use papo::os_error::describe;
use papo::platform::FileId;
use papo::pt::group_thousands;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

/// An open history and its description for the banner.
pub struct OpenedHistory {
    pub history: Box<dyn History>,
    pub summary: String,
    /// Sentences about what was wrong with the file.
    pub warnings: Vec<String>,
    /// What else is to be told once.
    pub note: Option<String>,
}

/// Opens the history that the configuration names.
pub fn open(config: &Config) -> Result<OpenedHistory, String> {
    let path = match &config.history {
        HistoryLocation::Memory => {
            let no_randomness = |_| "O sistema não tem números aleatórios para dar. Tente de novo.";
            let history = Box::new(MemoryHistory::new().map_err(no_randomness)?);
            return Ok(OpenedHistory {
                history,
                summary: "só na memória, some ao encerrar".into(),
                warnings: Vec::new(),
                note: None,
            });
        }
        HistoryLocation::File(path) => path,
    };
    let retention = config
        .keep_days
        .map(|days| Retention::new(Duration::from_hours(24 * u64::from(days))));
    let options = HistoryOptions {
        retention,
        max_bytes: config.max_history,
        ..HistoryOptions::default()
    };
    let history =
        SqliteHistory::open_with(path, options).map_err(|error| open_error(path, &error))?;
    // The whole path: from another folder, another file would be opened.
    let whole_path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let name = whole_path.display();
    let incidents = history.incidents().iter();
    let warnings = incidents
        .map(|incident| describe_incident(&whole_path, incident))
        .collect();
    let summary = format!("{name} ({})", describe_contents(&history, config.keep_days));
    let note = history.kept_copy().map(|copy| {
        format!(
            "O arquivo foi atualizado; o anterior está guardado em {}",
            copy.display()
        )
    });
    Ok(OpenedHistory {
        history: Box::new(history),
        summary,
        warnings,
        note,
    })
}

/// How many messages there are, and for how long they are kept.
fn describe_contents(history: &SqliteHistory, keep_days: Option<u32>) -> String {
    let count = match history.count() {
        1 => "1 mensagem".into(),
        count => format!("{} mensagens", group_thousands(count)),
    };
    match keep_days {
        None => count,
        Some(1) => format!("{count}; cada uma fica por 1 dia"),
        Some(days) => format!("{count}; cada uma fica por {days} dias"),
    }
}

/// What was wrong with a file, what became of it, and what to do.
fn describe_incident(path: &Path, incident: &Incident) -> String {
    let name = path.display();
    match incident {
        Incident::Leftovers(aside) => format!(
            "ATENÇÃO: ao lado de {name} havia sobras de outro banco de dados. Elas não foram usadas e agora se chamam \
             {}-…; se não fizerem falta, apague-as.",
            aside.display()
        ),
        Incident::JournalDropped(aside) => format!(
            "ATENÇÃO: com o diário que estava ao lado, {name} ficava danificado; sem ele, o arquivo está inteiro. A \
             conversa segue do arquivo, sem o que só estava no diário. Ele agora se chama {}-…",
            aside.display()
        ),
        Incident::Damaged(aside) => {
            let aside = aside.display();
            format!(
                "ATENÇÃO: o arquivo {name} estava danificado. Ele foi guardado como {aside} e a conversa recomeça em um \
                 arquivo novo. Para trazer de volta o que ainda se lê nele, encerre o servidor e use:\n  \
                 sqlite3 {aside} .recover | sqlite3 recuperado.db\n  servidor restaurar recuperado.db"
            )
        }
        Incident::Another => format!(
            "ATENÇÃO: {name} não é o histórico que esteve aqui por último: outro arquivo, ou uma versão antiga, foi posto no \
             lugar. A conversa segue com o que há nele."
        ),
        Incident::WentBack => format!(
            "ATENÇÃO: {name} já teve mais mensagens do que tem agora: uma versão antiga do arquivo foi posta no lugar, ou \
             o diário se perdeu. A conversa segue com o que há nele."
        ),
    }
}

/// Writes a room's log to standard output.
pub fn export(export: &Export) -> Result<(), String> {
    require_file(&export.history)?;
    let offset = time::UtcOffset::current_local_offset().unwrap_or(time::UtcOffset::UTC);
    let mut out = io::BufWriter::new(io::stdout().lock());
    match sqlite::export(
        &export.history,
        &export.room,
        export.format,
        offset,
        &mut out,
    ) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(format!(
            "Não há nenhuma mensagem na sala “{}”. Confira o nome com /salas.",
            export.room
        )),
        // A closed pipe (`| head`) is not an error.
        Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(OpenError::Io(error)) => Err(output_error(&error)),
        Err(error) => Err(open_error(&export.history, &error)),
    }
    .and_then(|()| out.flush().or_else(tolerate_closed_pipe))
}

fn tolerate_closed_pipe(error: io::Error) -> Result<(), String> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        Ok(())
    } else {
        Err(output_error(&error))
    }
}

fn output_error(error: &io::Error) -> String {
    format!("Não consegui escrever a saída ({}).", describe(error))
}

/// Refuses a log file that is a file of the history: both would be written into it.
pub fn refuse_shared_file(config: &Config) -> Result<(), String> {
    let (Some(log), HistoryLocation::File(history)) = (&config.log_file, &config.history) else {
        return Ok(());
    };
    let is_shared = ["", "-wal", "-shm", "-journal", ".testemunha"]
        .iter()
        .any(|suffix| {
            let mut file = history.clone().into_os_string();
            file.push(suffix);
            is_same_file(log, Path::new(&file))
        });
    if is_shared {
        return Err(format!(
            "Os registros não cabem em {}: o arquivo é do histórico. Escolha outro: servidor --log papo.log",
            log.display()
        ));
    }
    Ok(())
}

/// Whether two paths lead to one file, or would when it is made.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let id = |path| FileId::at(path).ok().flatten();
    let absolute = |path| std::path::absolute(path).ok();
    (id(one).is_some() && id(one) == id(other)) || absolute(one) == absolute(other)
}

/// Refuses a path where no history is.
pub fn require_file(path: &Path) -> Result<(), String> {
    if path.is_file() {
        return Ok(());
    }
    Err(format!(
        "Não achei o histórico {}. Indique o arquivo com --historico.",
        path.display()
    ))
}

/// Why a file can't be used, and what to do about it.
pub fn open_error(path: &Path, error: &OpenError) -> String {
    let name = path.display();
    let other = "indique outro: servidor --historico outro.db";
    match error {
        OpenError::InUse => {
            format!(
                "Não consegui abrir {name}: outro servidor está usando o arquivo. Feche-o ou {other}"
            )
        }
        OpenError::Newer => format!(
            "Não consegui abrir {name}: o arquivo é de uma versão mais nova do Papo. Atualize o servidor ou {other}"
        ),
        OpenError::Foreign => {
            format!(
                "Não consegui abrir {name}: o arquivo não é um histórico do Papo, e nada nele foi mudado. Confira o nome, \
                 ou {other}"
            )
        }
        OpenError::Empty => {
            format!("Não consegui abrir {name}: o arquivo está vazio. Confira o nome.")
        }
        OpenError::NoSpace(_) => format!(
            "Não consegui abrir {name}: {error}. O arquivo ficou como estava. Libere espaço e ligue de novo, ou {other}"
        ),
        OpenError::Io(_) => format!(
            "Não consegui abrir {name}: {error}. Confira a pasta e as permissões, ou {other}"
        ),
        OpenError::Sql(_) => {
            format!(
                "Não consegui abrir {name}: {error}. Confira o arquivo e o espaço em disco, ou {other}"
            )
        }
    }
}
