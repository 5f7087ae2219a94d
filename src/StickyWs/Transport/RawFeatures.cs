using System.Collections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace StickyWs.Transport;

/// <summary>
/// The features of a raw connection: those that were set, those it implements itself, and <see cref="IRawConnection"/> as long as it is a bare
/// socket. Internal features are not enumerated.
/// </summary>
internal sealed class RawFeatures : IFeatureCollection
{
    private readonly RawConnection _connection;

    // Sized for the three or four that Kestrel and its middlewares set. With so few, a linear search is fastest.
    private readonly List<KeyValuePair<Type, object>> _set;

    public RawFeatures(RawConnection connection, IMemoryPoolFeature memory, ConnectionShare? share)
    {
        _connection = connection;
        _set = new(11)
        {
            new(typeof(IConnectionIdFeature), connection),
            new(typeof(IConnectionItemsFeature), connection),
            new(typeof(IConnectionTransportFeature), connection),
            new(typeof(IConnectionLifetimeFeature), connection),
            new(typeof(IConnectionSocketFeature), connection),
            new(typeof(IMemoryPoolFeature), memory),
        };
        if (share is not null) _set.Add(new(typeof(ConnectionShare), share));
    }

    public bool IsReadOnly => false;

    public int Revision { get; private set; }

    public object? this[Type key]
    {
        get
        {
            if (key == typeof(IRawConnection)) return _connection.IsRaw ? _connection : null;
            if (key == typeof(IRawSocketFeature)) return _connection;
            var place = PlaceOf(key);
            return place < 0 ? null : _set[place].Value;
        }

        set
        {
            Revision++;
            var place = PlaceOf(key);
            if (place >= 0) _set.RemoveAt(place);
            if (value is not null) _set.Add(new(key, value));
        }
    }

    public TFeature? Get<TFeature>() => (TFeature?)this[typeof(TFeature)];

    public void Set<TFeature>(TFeature? instance) => this[typeof(TFeature)] = instance;

    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() => _set.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private int PlaceOf(Type key)
    {
        for (var i = 0; i < _set.Count; i++)
        {
            if (_set[i].Key == key) return i;
        }

        return -1;
    }
}
