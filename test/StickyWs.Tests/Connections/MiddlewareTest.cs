using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Connections;
using StickyWs.TestKit;
using StickyWs.Transport;

namespace StickyWs.Tests.Connections;

/// <summary>The middleware on one connection that was just accepted, with the dispatcher and the forwarder as they are, and one pool.</summary>
public abstract class MiddlewareTest : IAsyncDisposable
{
    private readonly LogRecorder _log = new() { Level = LogLevel.Debug };
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentQueue<ConnectionContext> _passed = new();
    private readonly ServiceProvider _services;

    private protected MiddlewareTest(Accepted accepted)
    {
        Accepted = accepted;
        _services = new ServiceCollection()
            .AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(_log))
            .AddSingleton<TimeProvider>(Clock)
            .AddStickyWebSocketBalancing(options => options.Transport.Tls = Tls)
            .BuildServiceProvider();
        Apply(new PoolOptions());
        if (Accepted.Term is { } term) _stopping.Token.Register(term.Stop);
        else Accepted.Connection.Features.Set<IConnectionLifetimeNotificationFeature>(new Lifetime(_stopping.Token));
    }

    private protected Accepted Accepted { get; }

    /// <summary>Before the first handshake.</summary>
    private protected TlsMode Tls { get; set; } = TlsMode.Auto;

    private protected FakeTimeProvider Clock { get; } = new();

    private protected RawBackend Backend { get; } = RawBackend.Opening();

    /// <summary>Ends what the next middleware does.</summary>
    private protected TaskCompletionSource Next { get; } = new();

    private protected IReadOnlyList<ConnectionContext> Passed => [.. _passed];

    /// <summary>Whether the next middleware was called on a reactor's thread.</summary>
    private protected bool WasNextOnReactor { get; private set; }

    private protected IReadOnlyList<LogLine> Log => _log.Lines;

    private protected ConnectionArrival? Arrival => Accepted.Connection.Features.Get<ConnectionArrival>();

    private BackendRegistry Registry => _services.GetRequiredService<BackendRegistry>();

    private protected TimeSpan HeadDeadline => Registry.Current.Options.HeadDeadline;

    public async ValueTask DisposeAsync()
    {
        await Accepted.DisposeAsync();
        await Backend.DisposeAsync();
        await _services.DisposeAsync();
        _stopping.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Puts the options into force with one pool, of the backend unless it has one; or with none.</summary>
    private protected void Apply(PoolOptions? pool)
    {
        var options = new StickyWsOptions();
        if (pool is not null)
        {
            pool.Backends.TryAdd("a", new BackendOptions { Address = Backend.Address });
            options.Pools["chat"] = pool;
        }

        Registry.Apply(options);
    }

    /// <summary>Serves it as the first middleware; if it was served already, as one that comes later.</summary>
    private protected Task Serve()
    {
        var isFirst = Arrival is null;
        var middleware = new SniffingMiddleware(NextAsync, _services.GetRequiredService<SniffingServices>(), isFirst: isFirst);
        return Accepted.Term is not null && isFirst
            ? ServeFirst(middleware, (RawConnection)Accepted.Connection)
            : middleware.OnConnectionAsync(Accepted.Connection);
    }

    private protected Task StopServerAsync() => _stopping.CancelAsync();

    /// <summary>Lets time pass until something is so.</summary>
    private protected Task PassTimeUntilAsync(Func<bool> condition) => Wait.UntilAsync(() =>
    {
        Clock.Advance(TimeSpan.FromMilliseconds(20));
        return condition();
    });

    private protected async Task CompleteAsync(Task serving)
    {
        await PassTimeUntilAsync(() => serving.IsCompleted && Registry.Tunnels.Count == 0);
        await serving;
    }

    /// <summary>It has gone on to the next middleware, so many times, with every byte in place.</summary>
    private protected async Task AssertPassedAsync(string sent, string verdict, int times = 1)
    {
        Assert.Equal(Enumerable.Repeat(Accepted.Connection, times), Passed);
        Assert.Equal(verdict, Arrival!.Verdict.ToString());
        if (sent.Length > 0) Assert.Equal(sent, await Accepted.ReadAsync(sent.Length));
        Assert.Equal(0, Backend.Connections);
    }

    // As a listener does it, on the reactor, and then Kestrel.
    private static Task ServeFirst(SniffingMiddleware middleware, RawConnection connection)
    {
        using var hasBegun = new ManualResetEventSlim();
        var judging = default(ValueTask<bool>);
        connection.Bare.Reactor.Run(() =>
        {
            judging = middleware.ServeAsync(connection);
            hasBegun.Set();
        });
        hasBegun.Wait(Wait.Bound);
        if (!judging.IsCompletedSuccessfully) return GoOnAsync(judging);
        return judging.Result ? middleware.OnConnectionAsync(connection) : Task.CompletedTask;

        async Task GoOnAsync(ValueTask<bool> judging)
        {
            if (!await judging.ConfigureAwait(false)) return;
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            await middleware.OnConnectionAsync(connection).ConfigureAwait(false);
        }
    }

    private Task NextAsync(ConnectionContext connection)
    {
        WasNextOnReactor = Accepted.IsOnReactor;
        _passed.Enqueue(connection);
        return Next.Task;
    }

    private sealed class Lifetime(CancellationToken stopping) : IConnectionLifetimeNotificationFeature
    {
        public CancellationToken ConnectionClosedRequested { get; set; } = stopping;

        public void RequestClose() => throw new NotSupportedException();
    }
}
