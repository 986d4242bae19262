using System.Buffers;
using System.Text;
using System.Text.Json;
using Spectre.Console;

namespace CobaltGraph.Cli.Terminal;

/// <summary>
/// The answer of a verb: named values and named tables, written as tables on a terminal, as tab-separated lines when
/// redirected, or as one JSON object. One line of plain output is one row whatever the data holds.
/// </summary>
internal abstract class Answer : IDisposable
{
    /// <summary>Starts an answer.</summary>
    /// <param name="host">Where it goes.</param>
    /// <param name="schema">
    /// Name and version of its keys, for example <c>devices/1</c>. The version changes when a key changes its meaning or
    /// goes; new keys do not change it.
    /// </param>
    /// <param name="json">Whether JSON was asked for.</param>
    public static Answer Begin(CliHost host, string schema, bool json)
        => json ? new JsonAnswer(host, schema)
            : host.OutputIsTerminal ? new TerminalAnswer(host)
            : new PlainAnswer(host);

    /// <summary>A named value; consecutive ones form a block.</summary>
    public abstract void Value(string key, string title, object? value, string? display = null);

    /// <summary>Values that belong together: an object in JSON, a block elsewhere.</summary>
    public abstract void Group(string key, string title, Action values);

    /// <summary>A named table.</summary>
    public abstract Task TableAsync<T>(
        string key,
        string title,
        IReadOnlyList<Column<T>> columns,
        IAsyncEnumerable<T> rows,
        CancellationToken cancellationToken);

    /// <inheritdoc cref="TableAsync{T}"/>
    public void Table<T>(string key, string title, IReadOnlyList<Column<T>> columns, IEnumerable<T> rows)
        // Synchronous rows complete synchronously.
        => TableAsync(key, title, columns, rows.ToAsyncEnumerable(), CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>Ends the answer. Not called after a failure: half an answer must not look like a whole one.</summary>
    public abstract void End();

    public abstract void Dispose();

    private sealed class JsonAnswer : Answer
    {
        private readonly CliHost _host;
        private readonly ArrayBufferWriter<byte> _buffer = new();
        private readonly Utf8JsonWriter _json;

        public JsonAnswer(CliHost host, string schema)
        {
            _host = host;
            // The default encoder escapes everything beyond ASCII, which also keeps it harmless on a terminal.
            _json = new Utf8JsonWriter(_buffer, new JsonWriterOptions { Indented = true });
            _json.WriteStartObject();
            _json.WriteString("schema", $"cobaltgraph.{schema}");
        }

        public override void Value(string key, string title, object? value, string? display = null)
        {
            _json.WritePropertyName(key);
            Cell.WriteJson(_json, value);
        }

        public override void Group(string key, string title, Action values)
        {
            _json.WriteStartObject(key);
            values();
            _json.WriteEndObject();
        }

        public override async Task TableAsync<T>(
            string key,
            string title,
            IReadOnlyList<Column<T>> columns,
            IAsyncEnumerable<T> rows,
            CancellationToken cancellationToken)
        {
            const int full = 1 << 16;
            _json.WriteStartArray(key);
            await foreach (var row in rows.WithCancellation(cancellationToken))
            {
                _json.WriteStartObject();
                foreach (var column in columns)
                {
                    _json.WritePropertyName(column.Key);
                    Cell.WriteJson(_json, column.Value(row));
                }

                _json.WriteEndObject();
                if (_buffer.WrittenCount + _json.BytesPending > full) Drain();
            }

            _json.WriteEndArray();
        }

        public override void End()
        {
            _json.WriteEndObject();
            Drain();
            _host.Output.WriteLine();
            _host.Output.Flush();
        }

        private void Drain()
        {
            _json.Flush();
            _host.Output.Write(Encoding.UTF8.GetString(_buffer.WrittenSpan));
            _buffer.ResetWrittenCount();
        }

        public override void Dispose() => _json.Dispose();
    }

    private sealed class PlainAnswer(CliHost host) : Answer
    {
        private string _prefix = "";
        private bool _started;

        public override void Value(string key, string title, object? value, string? display = null)
        {
            var text = value is IEnumerable<string> several
                ? string.Join(',', several.Select(Cell.Plain))
                : Cell.Plain(value);
            host.Output.WriteLine($"{_prefix}{key}\t{text}");
            _started = true;
        }

        public override void Group(string key, string title, Action values)
        {
            var outer = _prefix;
            _prefix = $"{outer}{key}.";
            values();
            _prefix = outer;
        }

        public override async Task TableAsync<T>(
            string key,
            string title,
            IReadOnlyList<Column<T>> columns,
            IAsyncEnumerable<T> rows,
            CancellationToken cancellationToken)
        {
            if (_started) host.Output.WriteLine();
            _started = true;
            host.Output.WriteLine(string.Join('\t', columns.Select(column => column.Key)));
            await foreach (var row in rows.WithCancellation(cancellationToken))
                host.Output.WriteLine(string.Join('\t', columns.Select(column => Cell.Plain(column.Value(row)))));
        }

        public override void End() => host.Output.Flush();

        public override void Dispose()
        {
        }
    }

    private sealed class TerminalAnswer(CliHost host) : Answer
    {
        private readonly IAnsiConsole _console = Consoles.For(host, host.Output);
        private Grid? _block;

        public override void Value(string key, string title, object? value, string? display = null)
        {
            if (_block is null)
            {
                _block = new Grid();
                _block.AddColumn(new GridColumn().NoWrap());
                _block.AddColumn(new GridColumn());
            }

            var text = display is not null ? SafeText.Escape(display)
                : value is IEnumerable<string> several ? string.Join(", ", several.Select(Cell.Display))
                : Cell.Display(value);
            _block.AddRow(new Text(title, new Style(decoration: Decoration.Dim)), new Text(text));
        }

        public override void Group(string key, string title, Action values)
        {
            EndBlock();
            values();
        }

        public override async Task TableAsync<T>(
            string key,
            string title,
            IReadOnlyList<Column<T>> columns,
            IAsyncEnumerable<T> rows,
            CancellationToken cancellationToken)
        {
            EndBlock();
            var shown = columns.Where(column => !column.ProgramsOnly).ToList();
            var table = new Table { Border = TableBorder.Simple, ShowHeaders = true };
            foreach (var column in shown)
            {
                var header = new TableColumn(new Text(column.Title, new Style(decoration: Decoration.Bold)));
                if (column.Right) header.RightAligned();
                table.AddColumn(header);
            }

            var count = 0;
            await foreach (var row in rows.WithCancellation(cancellationToken))
            {
                count++;
                table.AddRow(shown.Select(column => new Text(
                    Cell.Display(column.Value(row)),
                    column.Style?.Invoke(row) is { } style ? Style.Parse(style) : Style.Plain)));
            }

            // Text, never markup: what comes from the database has no say in how it looks.
            _console.Write(new Text(title + Environment.NewLine, new Style(decoration: Decoration.Bold)));
            if (count == 0) _console.Write(new Text("  none" + Environment.NewLine));
            else _console.Write(table);
        }

        public override void End()
        {
            EndBlock();
            host.Output.Flush();
        }

        public override void Dispose()
        {
        }

        private void EndBlock()
        {
            if (_block is null) return;
            _console.Write(_block);
            _console.WriteLine();
            _block = null;
        }
    }
}
