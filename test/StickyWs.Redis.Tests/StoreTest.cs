using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using StickyWs.TestKit;

namespace StickyWs.Redis.Tests;

/// <summary>Stores of one test, under a prefix that no other test has, and what they logged.</summary>
public abstract class StoreTest : IAsyncLifetime
{
    protected static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    /// <summary>The backend of <see cref="UntilHeardAsync"/>.</summary>
    protected const string Marker = "marker";

    private readonly List<IAsyncDisposable> _disposables = [];
    private readonly LogRecorder _log = new();
    private readonly LoggerFactory _loggers;

    protected StoreTest() => _loggers = new LoggerFactory([_log]);

    /// <summary>Like the keys of the balancer; a new one for every test.</summary>
    protected string Key { get; } = NewKey();

    protected string Prefix { get; } = $"test:{Guid.NewGuid():N}:";

    protected static string NewKey() => Guid.NewGuid().ToString("N");

    protected IEnumerable<LogLine> Logged(string name) => _log.Lines.Where(line => line.Event == name);

    internal RedisPinStore Open(string address, Action<RedisPinOptions>? configure = null)
    {
        var options = new RedisPinOptions { Configuration = address, KeyPrefix = Prefix };
        configure?.Invoke(options);
        Assert.Empty(new RedisPinOptionsValidator(RedisPinOptions.SectionName).Validate(null, options).Failures ?? []);
        var store = new RedisPinStore(Options.Create(options), _loggers.CreateLogger<RedisPinStore>());
        _disposables.Add(store);
        return store;
    }

    /// <summary>A client that does not know what the store's rules are.</summary>
    protected async Task<ConnectionMultiplexer> StrangerAsync(string address)
    {
        var stranger = await ConnectionMultiplexer.ConnectAsync(address);
        _disposables.Add(stranger);
        return stranger;
    }

    internal static ConcurrentQueue<(string Key, string Backend)> Hear(RedisPinStore store)
    {
        var heard = new ConcurrentQueue<(string, string)>();
        store.Saved += (key, backend) => heard.Enqueue((key, backend));
        return heard;
    }

    /// <summary>Has one store save until the other hears it: a subscription takes its time, and a message before it is lost.</summary>
    internal static async Task UntilHeardAsync(RedisPinStore from, ConcurrentQueue<(string Key, string Backend)> heard)
    {
        var key = NewKey();
        await Wait.UntilAsync(async () =>
        {
            await from.SaveAsync(key, Marker, Lifetime, Wait.Token());
            return heard.Contains((key, Marker));
        });
    }

    internal static Task UntilUpAsync(RedisPinStore store) => Wait.UntilAsync(async () =>
    {
        try
        {
            await store.FindAsync(NewKey(), Wait.Token());
            return true;
        }
        catch (RedisConnectionException)
        {
            return false;
        }
    });

    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var disposable in _disposables) await disposable.DisposeAsync();
        _loggers.Dispose();
    }
}
