using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace StickyWs.Redis;

/// <summary>
/// The one connection to Redis and its channel. It is opened when somebody first needs it, and the host's start never waits for it; from then on
/// StackExchange.Redis restores it by itself, the channel included.
/// </summary>
internal sealed class RedisLink(RedisPinOptions options, Action<RedisValue> received, ILogger logger)
{
    private readonly ServerWatch _watch = new(logger);
    private readonly Lock _lock = new();
    private volatile ConnectionMultiplexer? _open;
    private Task<ConnectionMultiplexer>? _opening;
    private bool _isClosed;

    public RedisChannel Channel { get; } = RedisChannel.Literal($"{options.KeyPrefix}pins");

    /// <summary>The connection, which may be down: then what is asked of it fails at once.</summary>
    /// <param name="cancellationToken">Ends the wait for a connection that is being opened; it is opened nevertheless.</param>
    public ValueTask<ConnectionMultiplexer> GetAsync(CancellationToken cancellationToken)
        => _open is { } open ? new(open) : new(Opening().WaitAsync(cancellationToken));

    /// <summary>Starts to open the connection, if nobody has; waits for nothing.</summary>
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

        // One that is still being opened, to a server that does not answer, holds nobody up; it is closed when it stands.
        if (opening is { IsCompletedSuccessfully: true }) await (await opening).CloseAsync(allowCommandsToComplete: false);
        else _ = opening?.ContinueWith(static opened => opened.Result.Close(allowCommandsToComplete: false), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
    }

    private Task<ConnectionMultiplexer> Opening()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);

            // It opens without the server too, but not without any sentinel; then the next one who asks tries again.
            if (_opening is null or { IsFaulted: true }) _opening = Task.Run(OpenAsync);
            return _opening;
        }
    }

    private async Task<ConnectionMultiplexer> OpenAsync()
    {
        var settings = ConnectionSettings.WithAuthorities(options);
        settings.ConnectionAttemptCompleted += _watch.OnAttempted;
        var redis = await ConnectionMultiplexer.ConnectAsync(settings);
        redis.ConnectionFailed += _watch.OnFailed;
        await ListenAsync(redis);
        return _open = redis;
    }

    // Without waiting for the answer: the wish is kept while the server is down, and carried out whenever it is connected.
    // One queue, because two messages about the same key must not overtake each other.
    private async Task ListenAsync(ConnectionMultiplexer redis)
    {
        var messages = await redis.GetSubscriber().SubscribeAsync(Channel, CommandFlags.FireAndForget);
        messages.OnMessage(message => received(message.Message));
    }
}
