using System.Collections.Concurrent;
using System.Threading.Channels;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Health;
using StickyWs.TestKit;

namespace StickyWs.Tests.Health;

/// <summary>A probe whose every answer the test gives. It serves every pool that is probed.</summary>
internal sealed class ScriptedProbe(TimeProvider time) : IProbe, IProbeFactory
{
    private readonly ConcurrentDictionary<string, Channel<ProbeCall>> _calls = new();
    private readonly ConcurrentDictionary<string, int> _running = new();
    private int _count;

    /// <summary>How many probes have begun.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Whether two probes of one backend ever ran at once.</summary>
    public bool Overlapped { get; private set; }

    public IProbe? Create(PoolOptions pool) => pool.Health.Probe is null ? null : this;

    public IProbe CreateConnect(PoolOptions pool) => this;

    public async ValueTask ProbeAsync(Backend backend, CancellationToken cancellationToken)
    {
        if (_running.AddOrUpdate(backend.Name, 1, (_, running) => running + 1) > 1) Overlapped = true;
        Interlocked.Increment(ref _count);
        var call = new ProbeCall(time.GetUtcNow(), cancellationToken);
        CallsOf(backend.Name).Writer.TryWrite(call);
        try
        {
            await call.Answer.WaitAsync(cancellationToken);
        }
        finally
        {
            _running.AddOrUpdate(backend.Name, 0, (_, running) => running - 1);
        }
    }

    /// <summary>The next probe of a backend, once it has begun.</summary>
    public async Task<ProbeCall> NextAsync(string backend) => await CallsOf(backend).Reader.ReadAsync(Wait.Token());

    private Channel<ProbeCall> CallsOf(string backend) => _calls.GetOrAdd(backend, _ => Channel.CreateUnbounded<ProbeCall>());
}
