using System.Buffers;
using System.Text;
using System.Text.Json;
using CobaltGraph.Model;
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
        // Metadata may be as deep as PostgreSQL lets it, and is shown some levels down.
        private const int MaxDepth = MetadataJson.MaxDepth + 100;

        private readonly CliHost _host;
        private readonly ArrayBufferWriter<byte> _buffer = new();
        private readonly Utf8JsonWriter _json;

        public JsonAnswer(CliHost host, string schema)
        {
            _host = host;
            // The default encoder escapes everything beyond ASCII, which also keeps it harmless on a terminal.
            _json = new Utf8JsonWriter(_buffer, new JsonWriterOptions { Indented = true, MaxDepth = MaxDepth });
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
        private bool _isEmpty = true;
        private bool _afterTable;

        public override void Value(string key, string title, object? value, string? display = null)
        {
            var text = value is IEnumerable<string> several
                ? string.Join(',', several.Select(Cell.Plain))
                : Cell.Plain(value);
            if (_afterTable) host.Output.WriteLine();
            host.Output.WriteLine($"{_prefix}{key}\t{text}");
            _isEmpty = _afterTable = false;
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
            // The header waits for the first row: a query that fails leaves no answer.
            await using var row = rows.GetAsyncEnumerator(cancellationToken);
            var more = await row.MoveNextAsync();

            if (!_isEmpty) host.Output.WriteLine();
            _isEmpty = false;
            _afterTable = true;
            host.Output.WriteLine(string.Join('\t', columns.Select(column => column.Key)));
            for (; more; more = await row.MoveNextAsync())
                host.Output.WriteLine(string.Join('\t', columns.Select(column => Cell.Plain(column.Value(row.Current)))));
        }

        public override void End() => host.Output.Flush();

        public override void Dispose()
        {
        }
    }

    private sealed class TerminalAnswer(CliHost host) : Answer
    {
        private readonly IAnsiConsole _console = Consoles.For(host, host.Output);
        private readonly List<(string Title, string Text)> _block = [];

        public override void Value(string key, string title, object? value, string? display = null)
            => _block.Add((
                title,
                display is not null ? SafeText.Escape(display)
                    : value is IEnumerable<string> several ? string.Join(", ", several.Select(Cell.Display))
                    : Cell.Display(value)));

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
            var cells = new List<(string Text, Style Style)[]>();
            await foreach (var row in rows.WithCancellation(cancellationToken))
            {
                cells.Add([.. shown.Select(column => (
                    column.Display is { } display ? SafeText.Escape(display(row)) : Cell.Display(column.Value(row)),
                    column.Style?.Invoke(row) is { } style ? Style.Parse(style) : Style.Plain))]);
            }

            // Text, never markup: what comes from the database has no say in how it looks.
            _console.Write(new Text(title + Environment.NewLine, new Style(decoration: Decoration.Bold)));
            if (cells.Count == 0) _console.Write(new Text("  none" + Environment.NewLine));
            else _console.Write(Layout(shown, cells));
            _console.WriteLine();
        }

        private Table Layout<T>(List<Column<T>> columns, List<(string Text, Style Style)[]> cells)
        {
            const int gap = 2;
            var widths = columns.Select((column, i) => Math.Max(
                column.Title.GetCellWidth(), cells.Max(row => row[i].Text.GetCellWidth())) + gap).ToList();
            var shown = Enumerable.Range(0, columns.Count).ToList();
            while (shown.Sum(i => widths[i]) > host.Width && shown.MaxBy(i => columns[i].Spare) is var spare
                && columns[spare].Spare > 0)
            {
                shown.Remove(spare);
            }

            var table = new Table { Border = TableBorder.None };
            foreach (var i in shown)
            {
                var header = new TableColumn(new Text(columns[i].Title, new Style(decoration: Decoration.Dim)));
                if (columns[i].Right) header.RightAligned();
                table.AddColumn(header.Padding(0, 0, gap, 0));
            }

            foreach (var row in cells) table.AddRow(shown.Select(i => new Text(row[i].Text, row[i].Style)));
            return table;
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
            if (_block.Count == 0) return;
            var width = _block.Max(line => line.Title.GetCellWidth());
            foreach (var (title, text) in _block)
            {
                _console.Write(new Text(title.PadRight(width), new Style(decoration: Decoration.Dim)));
                // Not through the console, which would break a long command into pieces that cannot be copied.
                host.Output.WriteLine($"  {text}");
            }

            host.Output.WriteLine();
            _block.Clear();
        }
    }
}
