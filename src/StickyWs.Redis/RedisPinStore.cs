using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using StickyWs.Pinning;

namespace StickyWs.Redis;

/// <summary>
/// Pins in Redis: a key per pin, which Redis expires, and a channel on which instances announce what they saved. It neither retries nor caches;
/// callers bound their wait and go on without it.
/// </summary>
internal sealed partial class RedisPinStore : IPinStore, IAsyncDisposable, IDisposable
{
    // To recognize this instance's own messages.
    private readonly string _self = Guid.NewGuid().ToString("N");
    private readonly string _keys;
    private readonly RedisLink _link;
    private readonly ILogger<RedisPinStore> _logger;
    private Action<string, string>? _saved;

    public RedisPinStore(IOptions<RedisPinOptions> options, ILogger<RedisPinStore> logger)
    {
        _logger = logger;
        _keys = $"{options.Value.KeyPrefix}pin:";
        _link = new RedisLink(options.Value, Receive, logger);
    }

    /// <summary>Opens the connection on subscription, so that messages arrive from the start; does not wait for it.</summary>
    public event Action<string, string>? Saved
    {
        add
        {
            _saved += value;
            _link.Open();
        }

        remove => _saved -= value;
    }

    // GETRANGE rather than GET: the key may hold anything, so never fetch more than a name can have.
    public async ValueTask<string?> FindAsync(string key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var redis = await _link.GetAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var finding = redis.GetDatabase().StringGetRangeAsync(_keys + key, 0, PinMessage.LongestBackend);
            var found = await finding.WaitAsync(cancellationToken).ConfigureAwait(false);
            return PinMessage.ReadBackend(((ReadOnlyMemory<byte>)found).Span);
        }
        catch (RedisServerException e) when (e.Message.StartsWith("WRONGTYPE", StringComparison.Ordinal))
        {
            // A list or hash of someone else's: not a pin, and no reason to consider the server broken.
            return null;
        }
    }

    public async ValueTask SaveAsync(string key, string backend, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var redis = await _link.GetAsync(cancellationToken).ConfigureAwait(false);
        await redis.GetDatabase().StringSetAsync(_keys + key, backend, (Expiration)lifetime).WaitAsync(cancellationToken).ConfigureAwait(false);
        var message = new PinMessage(_self, key, backend).ToString();
        await redis.GetSubscriber().PublishAsync(_link.Channel, message, CommandFlags.FireAndForget).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => _link.CloseAsync();

    /// <summary>For a container that is disposed synchronously; the connection closes a moment later.</summary>
    public void Dispose() => _ = _link.CloseAsync().AsTask();

    private void Receive(RedisValue message)
    {
        if (PinMessage.Read(((ReadOnlyMemory<byte>)message).Span) is not { } pin || pin.Sender == _self) return;
        try
        {
            _saved?.Invoke(pin.Key, pin.Backend);
        }
#pragma warning disable CA1031 // Otherwise it would end up in the Redis client's own thread.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogHandlerFailed(e);
        }
    }
}
