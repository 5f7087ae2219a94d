using System.Net;
using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using StickyWs.Access;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Kernel;
using StickyWs.Observability;
using StickyWs.TestKit;
using StickyWs.Transport;

namespace StickyWs.Benchmarks.Micro;

/// <summary>
/// What the line of an ended tunnel costs: in all, with its text, until a logger has it; and on the thread where the tunnel ends. 10,000 ends a second
/// are 1% of a processor for each microsecond.
/// </summary>
public class AccessBenchmarks : IDisposable
{
    private const int Ends = 10_000;

    private readonly ConnectionTuple _client = Tuple("192.0.2.7:54321", "10.0.0.1:443");
    private readonly ConnectionTuple _upstream = Tuple("10.0.0.1:41234", "10.0.0.12:5000");
    private readonly Tracer _tracer = new();
    private AccessLog _log = null!;
    private TunnelRecord _record = null!;

    [GlobalSetup]
    public void SetUp()
    {
        var registry = new BackendRegistry(NullLogger<BackendRegistry>.Instance, TimeProvider.System);
        registry.Apply(new StickyWsOptions());
        _log = new AccessLog(registry, _tracer, new LoggerFactory([new Rendering()]), TimeProvider.System, new RecentLines(TimeProvider.System));
        _record = (TunnelRecord)Keep();
    }

    /// <summary>The kept part of an open tunnel; its allocation is what a tunnel costs while lines are on, besides the texts of host and path.</summary>
    [Benchmark]
    public object Keep() => new TunnelRecord(_log)
    {
        Host = "example.com",
        Path = "/chat",
        Method = "GET",
        TlsVersion = "1.3",
        ChosenBy = "Policy",
        Pin = null,
        ForwardedClient = null,
        Upstream = _upstream,
        Handshake = TimeSpan.FromMilliseconds(3),
        TraceId = 7,
        IsLogged = true,
        Traced = null,
    };

    /// <summary>10,000 ends, until the last text is with the logger.</summary>
    [Benchmark(OperationsPerInvoke = Ends)]
    public async Task EndAndRender()
    {
        for (var i = 0; i < Ends; i++) End();
        await _log.FlushAsync(CancellationToken.None);
    }

    /// <summary>The same, on the thread where tunnels end. What waits is thrown away by the limit, which costs less: see the other.</summary>
    [Benchmark]
    public void End() => _record.End(new TunnelEnd("0HN7", _client, "chat", "b", "raw", EndReason.ClientClosed, "both", TimeSpan.FromMinutes(5))
    {
        BytesToBackend = 1204,
        BytesToClient = 88_123,
        ClientCloseCode = 1000,
        BackendCloseCode = 1000,
    });

    public void Dispose()
    {
        _tracer.Dispose();
        GC.SuppressFinalize(this);
    }

    private static ConnectionTuple Tuple(string source, string destination)
        => new(new RawAddress(IPEndPoint.Parse(source)), new RawAddress(IPEndPoint.Parse(destination)));

    private sealed class Rendering : ILoggerProvider, ILogger
    {
        private int _length;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => _length += formatter(state, exception).Length;

        public void Dispose()
        {
            // Nothing is held.
        }
    }
}
