using Microsoft.Extensions.Logging;

namespace StickyWs.Benchmarks.Balancers;

/// <summary>A logger that renders each line, and drops it; for <c>StickyWs.Access</c> only.</summary>
internal sealed class NullSink : ILoggerProvider, ILogger
{
    private int _length;
    private bool _isOn;

    public ILogger CreateLogger(string categoryName) => new NullSink { _isOn = categoryName == "StickyWs.Access" };

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;

    public bool IsEnabled(LogLevel logLevel) => _isOn && logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => _length += formatter(state, exception).Length;

    public void Dispose()
    {
        // Nothing is held.
    }
}
