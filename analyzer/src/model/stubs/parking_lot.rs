//! What the analysis must know of parking_lot (and of lock_api, whose types parking_lot's are), as signatures.

pub struct Mutex<T> {
    value: T,
}
pub struct FairMutex<T> {
    value: T,
}
pub struct ReentrantMutex<T> {
    value: T,
}
pub struct RwLock<T> {
    value: T,
}
pub struct MutexGuard<T> {
    value: T,
}
pub struct FairMutexGuard<T> {
    value: T,
}
pub struct MappedMutexGuard<T> {
    value: T,
}
pub struct ReentrantMutexGuard<T> {
    value: T,
}
pub struct RwLockReadGuard<T> {
    value: T,
}
pub struct RwLockWriteGuard<T> {
    value: T,
}
pub struct RwLockUpgradableReadGuard<T> {
    value: T,
}
pub struct MappedRwLockReadGuard<T> {
    value: T,
}
pub struct MappedRwLockWriteGuard<T> {
    value: T,
}
pub struct ArcMutexGuard<T> {
    value: T,
}
pub struct ArcRwLockReadGuard<T> {
    value: T,
}
pub struct ArcRwLockWriteGuard<T> {
    value: T,
}
pub struct ArcRwLockUpgradableReadGuard<T> {
    value: T,
}
pub struct Condvar {}
pub struct WaitTimeoutResult {}
pub struct Once {}

pub const fn const_mutex<T>(value: T) -> Mutex<T> {}
pub const fn const_rwlock<T>(value: T) -> RwLock<T> {}

impl<T> Mutex<T> {
    pub fn new(value: T) -> Mutex<T> {}
    pub fn lock(&self) -> MutexGuard<T> {}
    pub fn try_lock(&self) -> Option<MutexGuard<T>> {}
    pub fn try_lock_for(&self, time: Duration) -> Option<MutexGuard<T>> {}
    pub fn try_lock_until(&self, time: Instant) -> Option<MutexGuard<T>> {}
    pub fn lock_arc(&self) -> ArcMutexGuard<T> {}
    pub fn try_lock_arc(&self) -> Option<ArcMutexGuard<T>> {}
    pub fn try_lock_arc_for(&self, time: Duration) -> Option<ArcMutexGuard<T>> {}
    pub fn try_lock_arc_until(&self, time: Instant) -> Option<ArcMutexGuard<T>> {}
    pub fn get_mut(&mut self) -> &mut T {}
    pub fn into_inner(self) -> T {}
    pub fn is_locked(&self) -> bool {}
    pub fn force_unlock(&self) {}
}
impl<T> FairMutex<T> {
    pub fn new(value: T) -> FairMutex<T> {}
    pub fn lock(&self) -> FairMutexGuard<T> {}
    pub fn try_lock(&self) -> Option<FairMutexGuard<T>> {}
}
impl<T> ReentrantMutex<T> {
    pub fn new(value: T) -> ReentrantMutex<T> {}
    pub fn lock(&self) -> ReentrantMutexGuard<T> {}
    pub fn try_lock(&self) -> Option<ReentrantMutexGuard<T>> {}
}
impl<T> RwLock<T> {
    pub fn new(value: T) -> RwLock<T> {}
    pub fn read(&self) -> RwLockReadGuard<T> {}
    pub fn try_read(&self) -> Option<RwLockReadGuard<T>> {}
    pub fn try_read_for(&self, time: Duration) -> Option<RwLockReadGuard<T>> {}
    pub fn read_recursive(&self) -> RwLockReadGuard<T> {}
    pub fn try_read_recursive(&self) -> Option<RwLockReadGuard<T>> {}
    pub fn write(&self) -> RwLockWriteGuard<T> {}
    pub fn try_write(&self) -> Option<RwLockWriteGuard<T>> {}
    pub fn try_write_for(&self, time: Duration) -> Option<RwLockWriteGuard<T>> {}
    pub fn upgradable_read(&self) -> RwLockUpgradableReadGuard<T> {}
    pub fn upgradeable_read(&self) -> RwLockUpgradableReadGuard<T> {}
    pub fn try_upgradable_read(&self) -> Option<RwLockUpgradableReadGuard<T>> {}
    pub fn read_arc(&self) -> ArcRwLockReadGuard<T> {}
    pub fn write_arc(&self) -> ArcRwLockWriteGuard<T> {}
    pub fn read_arc_recursive(&self) -> ArcRwLockReadGuard<T> {}
    pub fn upgradable_read_arc(&self) -> ArcRwLockUpgradableReadGuard<T> {}
    pub fn try_read_arc(&self) -> Option<ArcRwLockReadGuard<T>> {}
    pub fn try_read_arc_for(&self, time: Duration) -> Option<ArcRwLockReadGuard<T>> {}
    pub fn try_read_arc_recursive(&self) -> Option<ArcRwLockReadGuard<T>> {}
    pub fn try_write_arc(&self) -> Option<ArcRwLockWriteGuard<T>> {}
    pub fn try_write_arc_for(&self, time: Duration) -> Option<ArcRwLockWriteGuard<T>> {}
    pub fn try_upgradable_read_arc(&self) -> Option<ArcRwLockUpgradableReadGuard<T>> {}
    pub fn get_mut(&mut self) -> &mut T {}
    pub fn into_inner(self) -> T {}
}
impl<T> MutexGuard<T> {
    pub fn map<U, F: FnOnce(&mut T) -> &mut U>(guard: MutexGuard<T>, f: F) -> MappedMutexGuard<U> {}
    pub fn try_map<U, F: FnOnce(&mut T) -> Option<&mut U>>(guard: MutexGuard<T>, f: F) -> Result<MappedMutexGuard<U>, MutexGuard<T>> {}
    pub fn unlocked<U, F: FnOnce() -> U>(guard: &mut MutexGuard<T>, f: F) -> U {}
    pub fn unlock_fair(guard: MutexGuard<T>) {}
    pub fn bump(guard: &mut MutexGuard<T>) {}
}
impl<T> RwLockReadGuard<T> {
    pub fn map<U, F: FnOnce(&T) -> &U>(guard: RwLockReadGuard<T>, f: F) -> MappedRwLockReadGuard<U> {}
    pub fn try_map<U, F: FnOnce(&T) -> Option<&U>>(guard: RwLockReadGuard<T>, f: F) -> Result<MappedRwLockReadGuard<U>, RwLockReadGuard<T>> {}
    pub fn unlocked<U, F: FnOnce() -> U>(guard: &mut RwLockReadGuard<T>, f: F) -> U {}
}
impl<T> RwLockWriteGuard<T> {
    pub fn map<U, F: FnOnce(&mut T) -> &mut U>(guard: RwLockWriteGuard<T>, f: F) -> MappedRwLockWriteGuard<U> {}
    pub fn try_map<U, F: FnOnce(&mut T) -> Option<&mut U>>(guard: RwLockWriteGuard<T>, f: F) -> Result<MappedRwLockWriteGuard<U>, RwLockWriteGuard<T>> {}
    pub fn downgrade(guard: RwLockWriteGuard<T>) -> RwLockReadGuard<T> {}
    pub fn downgrade_to_upgradable(guard: RwLockWriteGuard<T>) -> RwLockUpgradableReadGuard<T> {}
    pub fn unlocked<U, F: FnOnce() -> U>(guard: &mut RwLockWriteGuard<T>, f: F) -> U {}
}
impl<T> RwLockUpgradableReadGuard<T> {
    pub fn upgrade(guard: RwLockUpgradableReadGuard<T>) -> RwLockWriteGuard<T> {}
    pub fn try_upgrade(guard: RwLockUpgradableReadGuard<T>) -> Result<RwLockWriteGuard<T>, RwLockUpgradableReadGuard<T>> {}
    pub fn downgrade(guard: RwLockUpgradableReadGuard<T>) -> RwLockReadGuard<T> {}
}
impl<T> MappedMutexGuard<T> {
    pub fn map<U, F: FnOnce(&mut T) -> &mut U>(guard: MappedMutexGuard<T>, f: F) -> MappedMutexGuard<U> {}
    pub fn try_map<U, F: FnOnce(&mut T) -> Option<&mut U>>(guard: MappedMutexGuard<T>, f: F) -> Result<MappedMutexGuard<U>, MappedMutexGuard<T>> {}
}
impl<T> MappedRwLockReadGuard<T> {
    pub fn map<U, F: FnOnce(&T) -> &U>(guard: MappedRwLockReadGuard<T>, f: F) -> MappedRwLockReadGuard<U> {}
    pub fn try_map<U, F: FnOnce(&T) -> Option<&U>>(guard: MappedRwLockReadGuard<T>, f: F) -> Result<MappedRwLockReadGuard<U>, MappedRwLockReadGuard<T>> {}
}
impl<T> MappedRwLockWriteGuard<T> {
    pub fn map<U, F: FnOnce(&mut T) -> &mut U>(guard: MappedRwLockWriteGuard<T>, f: F) -> MappedRwLockWriteGuard<U> {}
    pub fn try_map<U, F: FnOnce(&mut T) -> Option<&mut U>>(guard: MappedRwLockWriteGuard<T>, f: F) -> Result<MappedRwLockWriteGuard<U>, MappedRwLockWriteGuard<T>> {}
}
impl<T> std::ops::Deref for MutexGuard<T> {
    type Target = T;
}
impl<T> std::ops::Deref for FairMutexGuard<T> {
    type Target = T;
}
impl<T> std::ops::Deref for MappedMutexGuard<T> {
    type Target = T;
}
impl<T> std::ops::Deref for ReentrantMutexGuard<T> {
    type Target = T;
}
impl<T> std::ops::Deref for RwLockReadGuard<T> {
    type Target = T;
}
impl<T> std::ops::Deref for RwLockWriteGuard<T> {
    type Target = T;
}
impl<T> std::ops::Deref for RwLockUpgradableReadGuard<T> {
    type Target = T;
}
impl<T> std::ops::Deref for MappedRwLockReadGuard<T> {
    type Target = T;
}
impl<T> std::ops::Deref for MappedRwLockWriteGuard<T> {
    type Target = T;
}
impl<T> std::ops::Deref for ArcMutexGuard<T> {
    type Target = T;
}
impl<T> std::ops::Deref for ArcRwLockReadGuard<T> {
    type Target = T;
}
impl<T> std::ops::Deref for ArcRwLockWriteGuard<T> {
    type Target = T;
}
impl<T> std::ops::Deref for ArcRwLockUpgradableReadGuard<T> {
    type Target = T;
}
impl<T> ArcRwLockWriteGuard<T> {
    pub fn downgrade(guard: ArcRwLockWriteGuard<T>) -> ArcRwLockReadGuard<T> {}
    pub fn downgrade_to_upgradable(guard: ArcRwLockWriteGuard<T>) -> ArcRwLockUpgradableReadGuard<T> {}
}
impl<T> ArcRwLockUpgradableReadGuard<T> {
    pub fn upgrade(guard: ArcRwLockUpgradableReadGuard<T>) -> ArcRwLockWriteGuard<T> {}
    pub fn downgrade(guard: ArcRwLockUpgradableReadGuard<T>) -> ArcRwLockReadGuard<T> {}
}
impl Condvar {
    pub fn new() -> Condvar {}
    pub fn wait<T>(&self, guard: &mut MutexGuard<T>) {}
    pub fn wait_for<T>(&self, guard: &mut MutexGuard<T>, time: Duration) -> WaitTimeoutResult {}
    pub fn wait_until<T>(&self, guard: &mut MutexGuard<T>, time: Instant) -> WaitTimeoutResult {}
    pub fn wait_while<T, F: FnMut(&mut T) -> bool>(&self, guard: &mut MutexGuard<T>, f: F) {}
    pub fn notify_one(&self) -> bool {}
    pub fn notify_all(&self) -> usize {}
}
impl Once {
    pub fn new() -> Once {}
    pub fn call_once<F: FnOnce()>(&self, f: F) {}
}
