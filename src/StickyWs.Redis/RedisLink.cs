using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace StickyWs.Redis;

/// <summary>
/// The one connection to Redis, and its channel. It is opened on first use, and the host's start never waits for it. From then on StackExchange.Redis
/// restores it by itself, including the channel.
/// </summary>
internal sealed class RedisLink(RedisPinOptions options, Action<RedisValue> received, ILogger logger)
{
    private readonly ServerWatch _watch = new(logger);
    private readonly Lock _lock = new();
    private volatile ConnectionMultiplexer? _open;
    private Task<ConnectionMultiplexer>? _opening;
    private bool _isClosed;

    public RedisChannel Channel { get; } = RedisChannel.Literal($"{options.KeyPrefix}pins");

    /// <summary>The connection. It may be down; then commands fail at once.</summary>
    /// <param name="cancellationToken">Cancels the wait for a connection that is being opened, but not the opening.</param>
    public ValueTask<ConnectionMultiplexer> GetAsync(CancellationToken cancellationToken)
        => _open is { } open ? new(open) : new(Opening().WaitAsync(cancellationToken));

    /// <summary>Starts to open the connection, unless that has begun already; does not wait.</summary>
    public void Open() => _ = Opening();

    public async ValueTask CloseAsync()
    {
        Task<ConnectionMultiplexer>? opening;
        lock (_lock)
        {
            if (_isClosed) return;
            _isClosed = true;
            opening = _opening;
        }

        _watch.End();

        // A connection that is still being opened, to a server that does not answer, must not delay this; it is closed once it is open.
        if (opening is { IsCompletedSuccessfully: true })
        {
            var redis = await opening.ConfigureAwait(false);
            await redis.CloseAsync(allowCommandsToComplete: false).ConfigureAwait(false);
            return;
        }

        _ = opening?.ContinueWith(
            static opened => opened.Result.Close(allowCommandsToComplete: false),
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnRanToCompletion,
            TaskScheduler.Default);
    }

    private Task<ConnectionMultiplexer> Opening()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);

            // Opening succeeds even without the server, but not without any sentinel; then the next call tries again.
            if (_opening is null or { IsFaulted: true }) _opening = Task.Run(OpenAsync);
            return _opening;
        }
    }

    private async Task<ConnectionMultiplexer> OpenAsync()
    {
        var settings = ConnectionSettings.WithAuthorities(options);
        settings.ConnectionAttemptCompleted += _watch.OnAttempted;
        var redis = await ConnectionMultiplexer.ConnectAsync(settings).ConfigureAwait(false);
        redis.ConnectionFailed += _watch.OnFailed;
        await ListenAsync(redis).ConfigureAwait(false);
        return _open = redis;
    }

    // Fire and forget: the subscription is remembered while the server is down, and made whenever it is connected. One queue, because messages about
    // the same key must not overtake each other.
    private async Task ListenAsync(ConnectionMultiplexer redis)
    {
        var messages = await redis.GetSubscriber().SubscribeAsync(Channel, CommandFlags.FireAndForget).ConfigureAwait(false);
        messages.OnMessage(message => received(message.Message));
    }
}
