using System.Numerics;

namespace StickyWs.Pinning;

/// <summary>
/// Pins in memory: bounded, with sliding expiry, and without an object per pin. A set-associative table, like a hardware cache: a key has eight
/// slots; if all are taken, the pin closest to its expiry makes room. A flood of keys therefore costs time and pins, never memory. Each segment has
/// its own lock, held for one look at eight slots, and grows by doubling; after the limit was lowered, it shrinks at the next write.
/// </summary>
internal sealed class PinTable
{
    private const int Ways = 8;
    private const int Segments = 64;

    private readonly Segment[] _segments = [.. Enumerable.Range(0, Segments).Select(_ => new Segment())];

    /// <summary>The number of pins, including expired ones that were not reused yet.</summary>
    public int Count => _segments.Sum(segment => segment.Count);

    /// <summary>Finds a pin and renews it.</summary>
    public bool TryUse(PinKey key, int now, int lifetime, out Pin pin) => SegmentOf(key).TryUse(key, now, lifetime, out pin);

    /// <summary>Writes a pin, replacing any earlier one.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="pin">The pin.</param>
    /// <param name="now">The current time in seconds.</param>
    /// <param name="lifetime">The seconds that it lives unless it is used.</param>
    /// <param name="limit">The most pins that the table may hold.</param>
    public void Set(PinKey key, Pin pin, int now, int lifetime, int limit)
        => SegmentOf(key).Set(key, pin, now, lifetime, Math.Max(1, limit / Segments / Ways));

    private Segment SegmentOf(PinKey key) => _segments[key.High % Segments];

    private record struct Entry(PinKey Key, string Backend, int ExpiresAt, int CheckedAt, int SavedAt)
    {
        public readonly bool IsFree => Backend is null;

        public readonly bool IsOver(int now) => ExpiresAt <= now;
    }

    private sealed class Segment
    {
        private readonly Lock _lock = new();
        private Entry[] _entries = new Entry[Ways];
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public bool TryUse(PinKey key, int now, int lifetime, out Pin pin)
        {
            lock (_lock)
            {
                foreach (ref var entry in Bucket(_entries, key))
                {
                    if (entry.Key != key || entry.IsFree) continue;
                    if (entry.IsOver(now)) break;
                    entry.ExpiresAt = now + lifetime;
                    pin = new Pin(entry.Backend, entry.CheckedAt, entry.SavedAt);
                    return true;
                }
            }

            pin = default;
            return false;
        }

        public void Set(PinKey key, Pin pin, int now, int lifetime, int maxBuckets)
        {
            var (first, last) = Sizes(maxBuckets);
            lock (_lock)
            {
                if (_entries.Length / Ways > last) Resize(last, now);
                ref var place = ref Place(Bucket(_entries, key), key);
                while (IsTaken(place, key, now) && _entries.Length / Ways < last)
                {
                    Resize(Next(first), now);
                    place = ref Place(Bucket(_entries, key), key);
                }

                if (place.IsFree) _count++;
                place = new Entry(key, pin.Backend, now + lifetime, pin.CheckedAt, pin.SavedAt);
            }
        }

        private static bool IsTaken(in Entry place, PinKey key, int now) => !place.IsFree && place.Key != key && !place.IsOver(now);

        private static Span<Entry> Bucket(Entry[] entries, PinKey key)
        {
            var buckets = (uint)(entries.Length / Ways);
            return entries.AsSpan((int)(((key.Low >> 32) * buckets) >> 32) * Ways, Ways);
        }

        // The key's own slot, or a free one, or the one closest to its expiry.
        private static ref Entry Place(Span<Entry> bucket, PinKey key)
        {
            var best = 0;
            for (var i = 0; i < bucket.Length; i++)
            {
                if (bucket[i].IsFree || bucket[i].Key == key)
                {
                    if (!bucket[i].IsFree) return ref bucket[i];
                    best = bucket[best].IsFree ? best : i;
                }
                else if (!bucket[best].IsFree && bucket[i].ExpiresAt < bucket[best].ExpiresAt)
                {
                    best = i;
                }
            }

            return ref bucket[best];
        }

        // Doubles from the first size up to the last: every new bucket takes entries from only one old bucket, so growing loses no pin. The last size
        // keeps the four highest bits of the limit.
        private static (int First, int Last) Sizes(int maxBuckets)
        {
            var shift = Math.Max(0, BitOperations.Log2((uint)maxBuckets) - 3);
            return (maxBuckets >> shift, (maxBuckets >> shift) << shift);
        }

        private int Next(int size)
        {
            while (size <= _entries.Length / Ways) size *= 2;
            return size;
        }

        private void Resize(int buckets, int now)
        {
            var old = _entries;
            _entries = new Entry[buckets * Ways];
            _count = 0;
            foreach (ref var entry in old.AsSpan())
            {
                if (entry.IsFree || entry.IsOver(now)) continue;
                ref var place = ref Place(Bucket(_entries, entry.Key), entry.Key);
                if (!place.IsFree && place.ExpiresAt > entry.ExpiresAt) continue;
                if (place.IsFree) _count++;
                place = entry;
            }
        }
    }
}
