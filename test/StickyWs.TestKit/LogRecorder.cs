using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace StickyWs.TestKit;

/// <summary>Keeps what was logged.</summary>
public sealed class LogRecorder : ILoggerProvider
{
    private readonly ConcurrentQueue<LogLine> _lines = new();

    /// <summary>From which level on; the application's own filters count besides.</summary>
    public LogLevel Level { get; set; } = LogLevel.Information;

    public IReadOnlyList<LogLine> Lines => [.. _lines];

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, this);

    public void Dispose()
    {
        // Lines stay readable after the host is gone.
    }

    private sealed class Logger(string category, LogRecorder recorder) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= recorder.Level;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            recorder._lines.Enqueue(new LogLine(category, logLevel, eventId.Name, formatter(state, exception), exception) { Fields = FieldsOf(state) });
        }

        // Those of the application's own messages may be there twice.
        private static Dictionary<string, object?> FieldsOf<TState>(TState state)
        {
            var fields = new Dictionary<string, object?>();
            foreach (var (name, value) in state as IEnumerable<KeyValuePair<string, object?>> ?? []) fields[name] = value;
            return fields;
        }
    }
}
